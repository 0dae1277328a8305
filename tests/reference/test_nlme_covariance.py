"""Structured covariances of random effects against nlme."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose

import bayeslmm as bl
from bayeslmm.likelihood.fit import LikelihoodFit

HERE = Path(__file__).parent / "nlme"
KEYWORDS = {"nlme_machines_pdcompsymm": "homcs", "nlme_machines_pddiag": "diag"}


@pytest.fixture(params=KEYWORDS)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(params=["REML", "ML"])
def both(request: pytest.FixtureRequest, name: str) -> tuple[LikelihoodFit, dict[str, Any]]:
    reference = json.loads((HERE / f"{name}.json").read_text())["fits"][request.param]
    formula = f"score ~ Machine + {KEYWORDS[name]}(0 + Machine | Worker)"
    return bl.LinearMixedModel(formula, bl.load_dataset("Machines")).fit(request.param), reference


def test_likelihood_and_fixed_effects(both: tuple[LikelihoodFit, dict[str, Any]]) -> None:
    fit, reference = both
    assert_allclose(fit.loglik, reference["logLik"], atol=1e-10)
    assert_allclose(fit.beta, list(reference["beta"].values()), rtol=1e-12)
    assert_allclose(fit.vcov, reference["vcov"]["values"], rtol=1e-9)
    assert_allclose(fit.sigma, reference["sigma"], rtol=1e-10)
    assert_allclose(fit.aic, reference["AIC"], atol=1e-9)


def test_covariance(both: tuple[LikelihoodFit, dict[str, Any]]) -> None:
    fit, reference = both
    factor = fit.sigma * fit.design.covariance.factors(fit.theta_values)[0]
    assert_allclose(factor @ factor.T, reference["random"]["Worker"]["cov"], atol=1e-8)
    shown = fit.varcorr.query("group == 'Worker'")
    assert_allclose(shown.query("kind == 'sd'")["value"], reference["random"]["Worker"]["sd"], rtol=1e-9)
    below = np.array(reference["random"]["Worker"]["corr"])[np.triu_indices(3, 1)]
    assert_allclose(shown.query("kind == 'cor'")["value"], below[below != 0], rtol=1e-9)


def test_intervals_of_the_free_parameters(both: tuple[LikelihoodFit, dict[str, Any]]) -> None:
    """Symmetric in log sd and the logit of cor over its range; nlme's Hessian is by differences."""
    fit, reference = both
    table = fit.estimates().frame.query("kind in ('sd', 'cor')")
    own = reference["intervals_95"]["reStruct"]["Worker"]
    assert_allclose(table["estimate"], own["est."], rtol=1e-9)
    assert_allclose(table["lower"], own["lower"], rtol=5e-3)
    assert_allclose(table["upper"], own["upper"], rtol=5e-3)


def test_random_effects(both: tuple[LikelihoodFit, dict[str, Any]]) -> None:
    fit, reference = both
    found, own = fit.ranef()["Worker"], reference["ranef"]["Worker"]
    assert_allclose(found.loc[own["levels"]], own["values"], atol=1e-10)
    level_1 = reference["fitted_by_level"]["level_1"]
    assert_allclose(np.sum(fit.fitted**2), level_1["sum_sq"], rtol=1e-12)


def test_labels_of_shared_parameters() -> None:
    fit = bl.LinearMixedModel(
        "score ~ Machine + homcs(0 + Machine | Worker)", bl.load_dataset("Machines")
    ).fit()
    assert fit.estimates().frame.index[3:].tolist() == ["sd[Worker]", "cor[Worker]", "sigma"]
    assert fit.n_params == 6

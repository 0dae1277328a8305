"""Models of nlme, each read from the reference's own call of `lme` or `gls`: all of its numbers."""

import json
import re
import warnings
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose

import bayeslmm as bl
from bayeslmm.errors import BayesLMMWarning
from bayeslmm.likelihood.fit import LikelihoodFit
from bayeslmm.spec.dense import dense_covariance
from tests.reference.r_calls import frame_of, model_of

HERE = Path(__file__).parent / "nlme"
NAMES = sorted(path.stem for path in HERE.glob("*.json"))
FITTED_VALUES = re.compile(r"var(Power|Exp|ConstPower)\(\s*\)")  # of what is fitted: an iteration of its own
FLAT = (
    1e-5  # of a log-likelihood on a ridge, or at an end of a parameter's range, where searches stop earlier
)


@cache
def reference(name: str) -> dict[str, Any]:
    return json.loads((HERE / f"{name}.json").read_text())


GAUSSIAN = [name for name in NAMES if not FITTED_VALUES.search(reference(name)["formula_and_arguments"])]
ITERATED = [name for name in NAMES if name not in GAUSSIAN]


@cache
def fitted(name: str, criterion: str) -> LikelihoodFit:
    own = reference(name)
    asked = model_of(own["formula_and_arguments"])
    data = frame_of(bl.load_dataset(own["dataset"]), own["transforms"])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", BayesLMMWarning)
        model = bl.LinearMixedModel(
            asked.formula, data, correlation=asked.correlation, variance=asked.variance
        )
        return model.fit(criterion)


@pytest.fixture(params=["REML", "ML"])
def criterion(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def marked(name: str) -> Any:
    """Joined rows in a plane take long."""
    return pytest.param(name, marks=pytest.mark.slow) if reference(name)["dataset"] == "Wheat2" else name


@pytest.fixture(params=map(marked, GAUSSIAN))
def both(request: pytest.FixtureRequest, criterion: str) -> tuple[LikelihoodFit, dict[str, Any]]:
    return fitted(request.param, criterion), reference(request.param)["fits"][criterion]


def is_flat(fit: LikelihoodFit, own: dict[str, Any]) -> bool:
    """Did both stop at different points of one ridge? Ours isn't the lower one."""
    gain = fit.loglik - own["logLik"]
    assert -1e-9 * abs(own["logLik"]) < gain < FLAT
    return bool(gain > 1e-9)


def test_likelihood_and_fixed_effects(both: tuple[LikelihoodFit, dict[str, Any]]) -> None:
    fit, own = both
    flat = is_flat(fit, own)
    close = 1e-6 if flat else 1e-9
    se = fit.se.to_numpy()
    assert_allclose(fit.beta / se, np.array(list(own["beta"].values())) / se, atol=close)
    # as a range goes to infinity so does the variance of what all means share, and not that of differences
    L = np.diff(np.eye(len(se)), axis=0) if flat else np.eye(len(se))
    ours, theirs = L @ fit.vcov.to_numpy() @ L.T, L @ _vcov(own, fit) @ L.T
    assert_allclose(ours / np.max(ours), theirs / np.max(ours), atol=10 * close)
    assert fit.n_params == own["logLik_df"]
    assert_allclose(fit.aic, own["AIC"], atol=3 * FLAT if close > 1e-9 else 1e-8)


def _vcov(own: dict[str, Any], fit: LikelihoodFit) -> np.ndarray:
    """nlme's gls has the factor n/(n − p) in fits by ML."""
    gls = own["call"].startswith("nlme::gls") and not fit.reml
    return np.array(own["vcov"]["values"]) * ((1 - fit.design.p / fit.design.n) if gls else 1.0)


def test_parameters_of_the_residual(both: tuple[LikelihoodFit, dict[str, Any]]) -> None:
    fit, own = both
    if is_flat(fit, own):
        return
    found = fit.residual_parameters.set_index("name")["value"]
    assert_allclose([*_of_correlation(own), *_of_variance(own, fit)], _without_levels(found), rtol=1e-7)
    levels = _levels(own, fit)
    for label, value in levels.items():
        assert_allclose(found[label], value, rtol=1e-8)
    assert len(levels) in (0, sum(name.startswith("sd[") for name in found.index))


def _of_correlation(own: dict[str, Any]) -> list[float]:
    correlation = own.get("correlation") or {}
    return list((correlation.get("parameters_natural_scale") or {}).values())


def _of_variance(own: dict[str, Any], fit: LikelihoodFit) -> list[float]:
    values = (own.get("variance_function") or {}).get("parameters_natural_scale") or {}
    numbers = {"power", "expon", "const"}
    return [value for name, value in values.items() if name.rpartition(".")[2] in numbers]


def _levels(own: dict[str, Any], fit: LikelihoodFit) -> dict[str, float]:
    """Absolute standard deviations by level, by our labels."""
    variance = own.get("variance_function") or {}
    if variance.get("class") not in ("varIdent", "varComb"):
        return {}
    values = variance["parameters_natural_scale"]
    shown = [name for name in fit.residual_parameters["name"] if name.startswith("sd[")]
    by_level = {name.partition(": ")[2][:-1]: name for name in shown}
    relative = {name.rpartition(".")[2] if "." in name else name: value for name, value in values.items()}
    return {by_level[level]: own["sigma"] * value for level, value in relative.items() if level in by_level}


def _without_levels(found: Any) -> list[float]:
    return [value for name, value in found.items() if not name.startswith("sd[")]


def test_random_part(both: tuple[LikelihoodFit, dict[str, Any]]) -> None:
    fit, own = both
    if is_flat(fit, own):
        return
    groups = own.get("random") or {}
    covariance = fit.design.covariance
    assert len(covariance.groups) == len(groups)
    first = _sigma_of_first(own, fit)
    for group, factor in zip(covariance.groups, covariance.factors(fit.theta_values), strict=True):
        of_group = groups[group.rpartition(":")[2]]
        cov = fit.sigma**2 * factor @ factor.T
        scale = np.max(np.diag(of_group["cov"]))
        assert_allclose(cov / scale, np.array(of_group["cov"]) / scale, atol=1e-6)
    if first:
        assert_allclose(fit.sigma, own["sigma"], rtol=1e-7)


def _sigma_of_first(own: dict[str, Any], fit: LikelihoodFit) -> bool:
    """Has σ one meaning? With levels it is that of the first here, of the first seen in nlme."""
    return not _levels(own, fit)


def test_fitted_values_and_residuals(both: tuple[LikelihoodFit, dict[str, Any]]) -> None:
    fit, own = both
    if is_flat(fit, own):
        return
    *_, inner = own["fitted_by_level"].values() if "fitted_by_level" in own else [own["fitted"]]
    assert_allclose(np.sum(fit.fitted), inner["sum"], rtol=1e-8)
    assert_allclose(np.sum(fit.fitted**2), inner["sum_sq"], rtol=1e-8)
    assert_allclose(np.sum(fit.pearson_residuals**2), own["residuals"]["pearson"]["sum_sq"], rtol=1e-7)
    if normalized := own["residuals"].get("normalized"):
        assert_allclose(np.sum(fit.normalized_residuals**2), normalized["sum_sq"], rtol=1e-7)


def test_intervals(both: tuple[LikelihoodFit, dict[str, Any]]) -> None:
    """nlme's Hessian is by differences, of a parameterization of its own."""
    fit, own = both
    intervals = (own.get("intervals_95") or {}).get("corStruct")
    if intervals is None or is_flat(fit, own) or len(_of_correlation(own)) > 1:
        return
    row = fit.residual_parameters.iloc[0]
    width = row["upper"] - row["lower"]
    for end in ("lower", "upper"):
        assert_allclose(row[end], intervals[end], atol=0.01 * width)


@pytest.mark.slow
@pytest.mark.parametrize("name", ITERATED)
def test_fixed_points_of_fitted_values(name: str, criterion: str) -> None:
    """nlme stops its iteration earlier: numbers agree to what its tolerance of 1e-6 leaves."""
    fit, own = fitted(name, criterion), reference(name)["fits"][criterion]
    assert_allclose(fit.loglik, own["logLik"], atol=2e-3)
    assert_allclose(fit.beta / fit.se, np.array(list(own["beta"].values())) / fit.se, atol=1e-3)
    found = fit.residual_parameters.set_index("name")["value"]
    assert_allclose([*_of_correlation(own), *_of_variance(own, fit)], found, rtol=2e-3)
    again = fit.design.residual.with_fitted(fit.fitted.to_numpy())
    assert_allclose(again.variances(), fit.design.residual.variances(), rtol=1e-6)


@pytest.mark.parametrize("name", ["nlme_ovary_ar1", "nlme_bodyweight_varpower_time_ar1"])
def test_the_likelihood_is_that_of_the_dense_covariance(name: str, criterion: str) -> None:
    fit = fitted(name, criterion)
    V, X = dense_covariance(fit.design, fit.theta_values, fit.sigma), fit.design.X
    information = X.T @ np.linalg.solve(V, X)
    e = fit.design.y - X @ fit.beta
    m = len(e) - fit.reml * X.shape[1]
    value = m * np.log(2 * np.pi) + np.linalg.slogdet(V)[1] + e @ np.linalg.solve(V, e)
    if fit.reml:
        value += np.linalg.slogdet(information)[1]
    assert_allclose(value, fit.criterion_value, rtol=1e-11)

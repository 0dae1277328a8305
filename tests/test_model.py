"""The public face: a model written down once, and results that survive copying."""

import copy
import pickle
import warnings
from collections.abc import Callable
from dataclasses import FrozenInstanceError
from typing import Any

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

import bayeslmm as bl
from bayeslmm.errors import InputError, OptionError, PriorError

FORMULA = "Reaction ~ Days + (Days | Subject)"


@pytest.fixture(scope="module")
def sleepstudy() -> pd.DataFrame:
    return bl.load_dataset("sleepstudy")


@pytest.fixture(scope="module")
def model(sleepstudy: pd.DataFrame) -> bl.LinearMixedModel:
    return bl.LinearMixedModel(FORMULA, sleepstudy)


@pytest.fixture(scope="module")
def results(model: bl.LinearMixedModel) -> dict[str, Any]:
    fit = model.fit()
    boot = fit.bootstrap(n=40, seed=1, progress=False)
    post = model.sample(draws=100, chains=2, seed=1, method="importance", progress=False)
    return {
        "model": model,
        "fit": fit,
        "bootstrap": boot,
        "posterior": post,
        "parity": bl.compare(fit, boot, post),
    }


READINGS: dict[str, Callable[[Any], Any]] = {
    "model": lambda model: model.fit().criterion_value,
    "fit": lambda fit: fit.ranef_table()["sd_prediction"].to_numpy(),
    "bootstrap": lambda boot: boot.confint().to_numpy(),
    "posterior": lambda post: post.estimates().frame["mean"].to_numpy(),
    "parity": lambda par: par.table["std_diff"].to_numpy(),
}


@pytest.mark.parametrize("duplicate", [copy.copy, copy.deepcopy, lambda x: pickle.loads(pickle.dumps(x))])
@pytest.mark.parametrize("kind", READINGS)
def test_results_survive_copying(results: dict[str, Any], kind: str, duplicate: Callable[[Any], Any]) -> None:
    read = READINGS[kind]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        before = read(results[kind])
        assert_allclose(read(duplicate(results[kind])), before, rtol=1e-12, atol=1e-12)


def test_a_model_is_immutable(model: bl.LinearMixedModel) -> None:
    with pytest.raises(FrozenInstanceError):
        model.priors = None  # type: ignore[misc]
    with pytest.raises(ValueError, match="read-only"):
        model.design.y[0] = 0.0


def test_priors_are_replaced_in_a_new_model(model: bl.LinearMixedModel) -> None:
    other = model.with_priors({"sd[Subject: Days]": bl.HalfNormal(10)})
    assert "HalfNormal(scale=10)" in repr(other.priors)
    assert "HalfNormal(scale=10)" not in repr(model.priors)
    with pytest.raises(PriorError, match="did you mean"):
        model.with_priors({"sd[Subject: Dayz]": bl.HalfNormal(10)})
    with pytest.raises(PriorError, match="by what they are of"):
        model.with_priors([bl.HalfNormal(10)])  # type: ignore[arg-type]


def test_the_dense_covariance_is_that_of_the_likelihood(model: bl.LinearMixedModel) -> None:
    fit = model.fit("ML")
    V = model.V(fit.theta, fit.sigma)
    residual = model.design.y - model.design.X @ fit.beta.to_numpy()
    logdet = np.linalg.slogdet(2 * np.pi * V)[1]
    assert_allclose(logdet + residual @ np.linalg.solve(V, residual), fit.criterion_value, rtol=1e-12)
    with pytest.raises(OptionError, match="theta has 2 values; 3 needed"):
        model.V([1, 1])


def test_an_updated_model_differs_in_what_is_named(
    model: bl.LinearMixedModel, sleepstudy: pd.DataFrame
) -> None:
    smaller = model.update(". ~ . - (Days | Subject) + (1 | Subject)")
    direct = bl.LinearMixedModel("Reaction ~ Days + (1 | Subject)", sleepstudy)
    assert_allclose(smaller.fit().criterion_value, direct.fit().criterion_value, rtol=1e-13)
    assert smaller.update(". ~ . - Days").design.coefs == ("Intercept",)
    half = model.update(data=sleepstudy.iloc[::2], weights=np.full(90, 2.0))
    assert half.design.n == 90
    assert half.design.residual.weights[0] == 2.0


@pytest.mark.parametrize(
    "ask",
    [
        lambda model: model.parity(method="margnal"),
        lambda model: model.parity(criterion="RELM"),
        lambda model: model.parity(draws=0),
        lambda model: model.parity(boot=-1),
        lambda model: model.graph("explict"),
    ],
)
def test_a_bad_option_is_refused_at_once(model: bl.LinearMixedModel, ask: Callable[[Any], Any]) -> None:
    with pytest.raises(InputError):
        ask(model)


def test_the_whole_run_is_reproducible(model: bl.LinearMixedModel) -> None:
    runs = [
        model.parity(seed=3, boot=50, draws=100, chains=2, method="importance", progress=False)
        for _ in range(2)
    ]
    pd.testing.assert_frame_equal(runs[0].table, runs[1].table)

"""Threads and processes at once give the numbers of one alone, to the last bit."""

import multiprocessing
import warnings
from collections.abc import Callable
from concurrent.futures import Future, ProcessPoolExecutor, ThreadPoolExecutor
from functools import partial
from typing import Any

import joblib
import numpy as np
import pandas as pd
import pytest

import bayeslmm as bl

THREADS = 4


def crossed() -> bl.LinearMixedModel:
    """Of a tail that LAPACK factors, as long as BLAS may share its sums."""
    rng = np.random.default_rng(0)
    g, h = rng.integers(0, 160, 1500), rng.integers(0, 150, 1500)
    y = rng.normal(size=160)[g] + rng.normal(size=150)[h] + rng.normal(size=1500)
    return bl.LinearMixedModel(
        "y ~ x + (1 | g) + (1 | h)", {"y": y, "x": rng.normal(size=1500), "g": g, "h": h}
    )


def of(dataset: str, formula: str, **options: Any) -> bl.LinearMixedModel:
    return bl.LinearMixedModel(formula, bl.load_dataset(dataset), **options)


MODELS: dict[str, Callable[[], bl.LinearMixedModel]] = {
    "slopes": partial(of, "sleepstudy", "Reaction ~ Days + (Days | Subject)"),
    "nested": partial(of, "Pastes", "strength ~ 1 + (1 | batch / cask)"),
    "factor": partial(of, "Machines", "score ~ Machine + (0 + Machine | Worker)"),
    "crossed": crossed,
    "spread": partial(of, "sleepstudy", "Reaction ~ Days + (1 | Subject)", variance=bl.variance.Exp("Days")),
    "serial": partial(of, "sleepstudy", "Reaction ~ Days", correlation=bl.correlation.CAR1("Days | Subject")),
}
PAIRED = ("slopes", "nested")  # which have a bootstrap and a posterior here, too


def fitted(model: bl.LinearMixedModel) -> list[Any]:
    """Numbers of two fits, their tables and predictions."""
    fits = model.fit(), model.fit("ML")
    predicted = fits[0].predict(model.data, interval="confidence")
    tables = [each.coef_table() for each in fits]
    return [*(fit.theta for fit in fits), *(fit.criterion_value for fit in fits), predicted, *tables]


def bootstrapped(model: bl.LinearMixedModel) -> list[Any]:
    return [model.fit().bootstrap(n=12, seed=3, progress=False).confint()]


def sampled(model: bl.LinearMixedModel) -> list[Any]:
    drawn = model.sample(draws=40, chains=2, seed=2, method="importance", progress=False)
    return [drawn.draws_frame(), drawn.estimates().frame]


VERBS = {"fitted": fitted, "bootstrapped": bootstrapped, "sampled": sampled}
ASKED = [(name, verb) for name in MODELS for verb in (VERBS if name in PAIRED else ["fitted"])]


def numbers(model: bl.LinearMixedModel, verb: str) -> list[np.ndarray]:
    """What a verb says of a model, as arrays."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # few draws, few replicates
        return [np.asarray(pd.DataFrame(np.atleast_1d(each))) for each in VERBS[verb](model)]


def of_a_new_model(name: str, verb: str) -> list[np.ndarray]:
    return numbers(MODELS[name](), verb)


@pytest.fixture(scope="module")
def alone() -> dict[tuple[str, str], list[np.ndarray]]:
    """What one thread says, of models that nobody else has."""
    return {asked: of_a_new_model(*asked) for asked in ASKED}


def assert_the_same(found: dict[Any, Future[list[np.ndarray]]], alone: dict[Any, list[np.ndarray]]) -> None:
    for (number, *asked), future in found.items():
        for own, expected in zip(future.result(), alone[tuple(asked)], strict=True):
            np.testing.assert_array_equal(own, expected, err_msg=f"{asked}, time {number}")


@pytest.mark.parametrize("shared", [True, pytest.param(False, marks=pytest.mark.slow)])
def test_threads(shared, alone):
    """Of models that all threads share, and whose cached parts they ask for at once; and of their own."""
    models = {name: make() for name, make in MODELS.items()}
    with ThreadPoolExecutor(THREADS) as pool:
        found = {
            (time, name, verb): pool.submit(
                numbers if shared else of_a_new_model, models[name] if shared else name, verb
            )
            for name, verb in ASKED
            for time in range(2)
        }
    assert_the_same(found, alone)


def test_threads_share_one_fit(alone):
    fit = MODELS["slopes"]().fit()
    verbs = [fit.coef_table, fit.ranef_table, fit.summary, fit.anova, fit.confint, lambda: fit.hat_values]
    with ThreadPoolExecutor(THREADS) as pool:
        said = [pool.submit(lambda verb=verb: str(verb())) for verb in verbs * 3]
    other = MODELS["slopes"]().fit()
    again = [other.coef_table, other.ranef_table, other.summary, other.anova, other.confint]
    expected = [str(verb()) for verb in again] + [str(other.hat_values)]
    assert [each.result() for each in said] == expected * 3


@pytest.mark.slow
def test_processes(alone):
    """Of a pool of new interpreters, and of joblib's; models travel to the second."""
    asked = [(name, "fitted") for name in MODELS] + [("slopes", "bootstrapped"), ("slopes", "sampled")]
    with ProcessPoolExecutor(2, multiprocessing.get_context("spawn")) as pool:
        found = {(0, *each): pool.submit(of_a_new_model, *each) for each in asked}
    assert_the_same(found, alone)
    with joblib.parallel_config("loky", n_jobs=2):
        lists = joblib.Parallel()(joblib.delayed(numbers)(MODELS[name](), verb) for name, verb in asked)
    for each, arrays in zip(asked, lists, strict=True):
        for own, expected in zip(arrays, alone[each], strict=True):
            np.testing.assert_array_equal(own, expected, err_msg=f"{each}")

"""Every public result survives pickling and copying: it prints the same, and isn't large."""

import copy
import importlib
import pickle
import pkgutil
import warnings
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

import pytest

import bayeslmm as bl
from bayeslmm.printed import Printed

COPIES: dict[str, Callable[[Any], Any]] = {
    "pickle": lambda made: pickle.loads(pickle.dumps(made)),
    "copy": copy.copy,
    "deepcopy": copy.deepcopy,
}
LARGEST = 1e6  # bytes of a pickled result of sleepstudy


@cache
def model() -> bl.LinearMixedModel:
    return bl.LinearMixedModel("Reaction ~ Days + (Days | Subject)", bl.load_dataset("sleepstudy"))


@cache
def factorial() -> bl.LinearMixedModel:
    return bl.LinearMixedModel("score ~ Machine + (1 | Worker)", bl.load_dataset("Machines"))


@cache
def fit() -> Any:
    return model().fit()


@cache
def boot() -> Any:
    return fit().bootstrap(n=20, seed=1, progress=False)


@cache
def post(of: Callable[[], bl.LinearMixedModel] = model) -> Any:
    return of().sample(draws=100, chains=2, seed=1, method="importance", progress=False)


@cache
def parity() -> Any:
    return bl.compare(fit(), boot(), post())


RESULTS: dict[str, Callable[[], Any]] = {
    "LikelihoodFit": fit,
    "PosteriorResult": post,
    "Convergence": lambda: fit().convergence,
    "Bootstrap": boot,
    "EstimateTable": lambda: fit().estimates(),
    "HeadedTable": lambda: fit().varcorr,
    "InferenceTable": lambda: fit().coef_table(),
    "Checkup": lambda: fit().check(),
    "HypothesisTest": lambda: fit().test("Days = 10"),
    "MarginalMeans": lambda: factorial().fit().marginal_means("Machine"),
    "Profile": lambda: fit().profile(),
    "Influence": lambda: fit().influence("Subject"),
    "SimulatedResiduals": lambda: fit().simulated_residuals(50, seed=1),
    "BootstrapRatioTest": lambda: bl.bootstrap_lrt(
        model().update(". ~ . - Days").fit("ML"), model().fit("ML"), n=20, seed=1, progress=False
    ),
    "RestrictedRatioTest": lambda: bl.exact_rlrt(
        factorial().update("score ~ Machine"), factorial(), n=200, seed=1
    ),
    "Power": lambda: bl.power(fit(), test="Days", n=20, seed=1, progress=False),
    "PowerCurve": lambda: bl.power_curve(
        model(), fit(), test="Days", along="Subject", sizes=[10, 18], n=10, seed=1, progress=False
    ),
    "Priors": lambda: model().priors,
    "PosteriorMeans": lambda: post(factorial).marginal_means("Machine"),
    "PosteriorHypothesis": lambda: post().hypothesis("Days > 5"),
    "Loo": lambda: post().loo(unit="Subject"),
    "Parity": parity,
    "Verdicts": lambda: parity().verdicts,
    "Certificate": lambda: parity().certificate,
    "CertificateForAnybody": lambda: bl.certify(model().graph("explicit"), model()),
    "Calibration": lambda: bl.calibrate(fit(), n=8, methods=["z"], seed=1, progress=False),
    "LinearMixedModel": model,
}


def printed_kinds() -> Iterator[str]:
    """Names of the classes that print as tables."""
    for module in pkgutil.walk_packages(bl.__path__, "bayeslmm."):
        for thing in vars(importlib.import_module(module.name)).values():
            if isinstance(thing, type) and issubclass(thing, Printed) and thing is not Printed:
                yield thing.__name__


def test_none_is_forgotten():
    assert set(printed_kinds()) - {"Printed"} <= set(RESULTS)


@pytest.mark.slow
@pytest.mark.parametrize("name", RESULTS)
def test_a_copy_prints_the_same(name):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # few replicates and draws
        made = RESULTS[name]()
        assert type(made).__name__ == name
        said = repr(made)
        tables = made.to_frame().to_csv() if isinstance(made, Printed) else said
        for way, duplicate in COPIES.items():
            again = duplicate(made)
            assert type(again) is type(made), way
            assert repr(again) == said, way
            assert (again.to_frame().to_csv() if isinstance(made, Printed) else said) == tables, way
        assert len(pickle.dumps(made)) < LARGEST

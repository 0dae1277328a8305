"""Models fitted once."""

import warnings
from collections.abc import Callable
from functools import cache

import pytest

from bayeslmm.datasets import load_dataset
from bayeslmm.errors import SingularFitWarning
from bayeslmm.likelihood.fit import LikelihoodFit, fit
from bayeslmm.likelihood.fitted import FitOptions
from bayeslmm.spec.build import build
from bayeslmm.spec.model_spec import ModelSpec

type Fitter = Callable[..., LikelihoodFit]


@cache
def fit_model(
    formula: str,
    dataset: str,
    criterion: str = "REML",
    sigma: float | None = None,
    weights: str | None = None,
) -> LikelihoodFit:
    data = load_dataset(dataset).assign(w=lambda frame: 1.0 + frame.reset_index().index % 3)
    design, recipe = build(ModelSpec(formula, weights=weights, sigma=sigma), data)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SingularFitWarning)
        return fit(design, FitOptions(criterion), formula, recipe)


@pytest.fixture(scope="session")
def fitter() -> Fitter:
    return fit_model


@pytest.fixture(scope="session")
def sleep() -> LikelihoodFit:
    return fit_model("Reaction ~ Days + (Days | Subject)", "sleepstudy")


@pytest.fixture(scope="session")
def singular() -> LikelihoodFit:
    return fit_model("Yield ~ 1 + (1 | Batch)", "Dyestuff2")


@pytest.fixture(scope="session")
def pastes() -> LikelihoodFit:
    return fit_model("strength ~ 1 + (1 | batch / cask)", "Pastes")

"""Designs built once, and short runs of every method shared by the tests that look at them."""

from functools import cache

import numpy as np
import pandas as pd
import pytest

from bayeslmm.datasets import load_dataset
from bayeslmm.posterior.options import SampleOptions
from bayeslmm.posterior.sample import sample
from bayeslmm.spec.build import build
from bayeslmm.spec.model_spec import ModelSpec
from bayeslmm.spec.priors import default_priors

SLEEPSTUDY = "Reaction ~ Days + (Days | Subject)"
ONE_WAY = "Yield ~ 1 + (1 | Batch)"


@cache
def design_of(formula, dataset):
    return build(ModelSpec(formula), load_dataset(dataset)).design


@cache
def crossed_design(seed=3):
    """Two crossed factors whose dense tail is LAPACK's: 130 and 110 levels, 1,500 rows."""
    rng, n = np.random.default_rng(seed), 1500
    codes = [rng.permutation(np.r_[np.arange(k), rng.integers(0, k, n - k)]) for k in (130, 110)]
    y = 2 + rng.normal(size=n)
    for code, sd, k in zip(codes, (0.5, 0.8), (130, 110), strict=True):
        y += sd * rng.normal(size=k)[code]
    data = pd.DataFrame({"y": y, "a": codes[0].astype(str), "b": codes[1].astype(str)})
    return build(ModelSpec("y ~ 1 + (1 | a) + (1 | b)"), data).design


@cache
def run_of(formula, dataset, **options):
    design = design_of(formula, dataset)
    return sample(design, default_priors(design), SampleOptions(progress=False, **options))


@pytest.fixture(scope="session")
def design():
    return design_of


@pytest.fixture(scope="session")
def run():
    return run_of


@pytest.fixture(scope="session")
def sleepstudy():
    return design_of(SLEEPSTUDY, "sleepstudy")


@pytest.fixture(scope="session", params=["importance", "marginal", "explicit"])
def posterior(request):
    """Sleepstudy sampled by each method, 4 chains x 1000 draws."""
    return run_of(SLEEPSTUDY, "sleepstudy", method=request.param, seed=20)

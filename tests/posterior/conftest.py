"""Designs built once, and short runs of every method shared by the tests that look at them."""

from functools import cache

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

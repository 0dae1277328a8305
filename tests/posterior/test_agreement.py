"""All methods on one list of models: every mean within four Monte Carlo errors of every other method's."""

import numpy as np
import pytest

from bayeslmm.datasets import load_dataset
from bayeslmm.posterior.methods.quadrature import MOST
from bayeslmm.posterior.options import SampleOptions
from bayeslmm.posterior.sample import sample
from bayeslmm.posterior.target import Target
from bayeslmm.spec.build import build
from bayeslmm.spec.model_spec import ModelSpec
from bayeslmm.spec.priors import default_priors

from .conftest import ONE_WAY, SLEEPSTUDY

MODELS = {
    "correlated": (SLEEPSTUDY, "sleepstudy", 1.0),
    "uncorrelated": ("Reaction ~ Days + (Days || Subject)", "sleepstudy", 1.0),
    "unbalanced": (SLEEPSTUDY, "sleepstudy", 0.6),
    "one-way": (ONE_WAY, "Dyestuff", 1.0),
    "boundary": (ONE_WAY, "Dyestuff2", 1.0),
    "crossed": ("diameter ~ 1 + (1 | plate) + (1 | sample)", "Penicillin", 1.0),
    "nested": ("strength ~ 1 + (1 | batch/cask)", "Pastes", 1.0),
    "three by three": ("score ~ Machine + (Machine | Worker)", "Machines", 1.0),
}


def model_of(name):
    formula, dataset, share = MODELS[name]
    data = load_dataset(dataset)
    if share < 1:
        data = data.sample(frac=share, random_state=1)
    design = build(ModelSpec(formula), data).design
    return design, default_priors(design)


def estimates(name, method, seed):
    design, priors = model_of(name)
    post = sample(
        design, priors, SampleOptions(draws=2500, seed=seed, method=method, progress=False, cores=2)
    )
    assert post.method == method
    return post.estimates(ranef=True).frame


def largest_z(one, other):
    """Over all quantities; a rule's error stands in for a Monte Carlo error."""
    z = (one["mean"] - other["mean"]) / np.hypot(one["mcse"], other["mcse"])
    return z.abs().max()


def small_models():
    """Those that quadrature takes; the longer ones are slow."""
    for name in MODELS:
        if Target(*model_of(name)).size <= MOST:
            yield pytest.param(name, marks=[pytest.mark.slow] * (name != "crossed"))


@pytest.mark.parametrize("name", list(small_models()))
def test_importance_agrees_with_quadrature(name):
    assert largest_z(estimates(name, "importance", 31), estimates(name, "quadrature", 32)) < 4


@pytest.mark.slow
@pytest.mark.parametrize("name", MODELS)
def test_samplers_agree(name):
    importance = estimates(name, "importance", 31)
    marginal = estimates(name, "marginal", 33)
    explicit = estimates(name, "explicit", 34)
    assert largest_z(importance, marginal) < 4
    assert largest_z(importance, explicit) < 4
    assert largest_z(marginal, explicit) < 4
    if Target(*model_of(name)).size <= MOST:
        by_rule = estimates(name, "quadrature", 32)
        assert largest_z(marginal, by_rule) < 4
        assert largest_z(explicit, by_rule) < 4

"""Variances of combinations are those of draws, and of single effects those of the moments."""

import numpy as np
import pytest

import bayeslmm
from bayeslmm.estimands.combinations import Combinations
from bayeslmm.kernel.effects.effect_moments import effect_moments
from bayeslmm.posterior.effects.combined import combined_variances
from bayeslmm.posterior.effects.recover import recover_effects
from bayeslmm.posterior.fixed_effects import prior_of_delta
from bayeslmm.posterior.parameters import relative_factors
from bayeslmm.posterior.target import Target


@pytest.fixture(scope="module")
def given():
    data = bayeslmm.load_dataset("sleepstudy")
    priors = {"beta[Days]": bayeslmm.Normal(0, 2)}
    model = bayeslmm.LinearMixedModel("Reaction ~ Days + (Days | Subject)", data, priors=priors)
    target = Target(model.design, model.priors)
    return model.design, model.priors, target.parameters(target.start()[None] + [[0.0], [0.3]])


def test_single_effects_have_their_own_variances(given):
    design, priors, parameters = given
    p, q = design.p, design.q
    single = Combinations(("",) * (p + q), np.eye(p + q)[:, :p], np.eye(p + q)[:, p:])
    found = combined_variances(design, priors, parameters, single)
    lam, prior = relative_factors(design, parameters), prior_of_delta(design.kernel, priors)
    moments = effect_moments(design.kernel, lam, parameters.sigma, np.zeros((2, p)), prior)
    assert found == pytest.approx(np.hstack([moments.beta_variance, moments.b_variance]))


def test_combinations_have_the_variances_of_draws(given):
    design, priors, parameters = given
    rng = np.random.default_rng(1)
    some = Combinations(("a", "b"), rng.normal(size=(2, design.p)), rng.normal(size=(2, design.q)))
    many = parameters.take(np.zeros(20_000, dtype=int))
    beta, b = recover_effects(design, priors, many, np.random.SeedSequence(1))
    drawn = np.var(beta @ some.C.T + b @ some.D.T, axis=0)
    assert combined_variances(design, priors, parameters, some)[0] == pytest.approx(drawn, rel=0.05)

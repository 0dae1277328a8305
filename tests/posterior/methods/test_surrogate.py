"""Polynomials that propose: their weights are the exact ones in expectation, their draws the posterior's."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest

from bayeslmm.posterior.methods import importance as room
from bayeslmm.posterior.methods.importance import importance
from bayeslmm.posterior.methods.laplace import LaplaceFit, laplace
from bayeslmm.posterior.methods.modes import Scan
from bayeslmm.posterior.methods.surrogate import LEAST, Student, evaluations, fit_surrogate
from bayeslmm.posterior.options import SampleOptions
from bayeslmm.posterior.target import Target
from bayeslmm.spec.priors import default_priors
from tests.posterior.conftest import crossed_design


def skewed(phi):
    """Log density of (log of a gamma variable, a normal one about it), mode at 0."""
    x, y = phi.T
    return 60 * (x - np.exp(x)) - 2 * (y - 0.5 * x**2) ** 2


FIT = LaplaceFit(np.zeros(2), -60.0, np.diag([60**-0.5, 0.5]), True, 1)


@pytest.fixture(scope="module")
def surrogate():
    with ThreadPoolExecutor(2) as pool:
        return fit_surrogate(skewed, FIT, Student(FIT.mode, FIT.root, 1.1, 5.0), pool)


def shifted(surrogate, by, **changes):
    """One that is too high everywhere."""
    coefficients = surrogate.coefficients + by * (np.arange(len(surrogate.coefficients)) == 0)
    return replace(surrogate, coefficients=coefficients, **changes)


def test_a_quartic_holds_a_quartic():
    def quartic(phi):
        return -0.5 * np.sum(phi**2, axis=1) + 0.01 * phi[:, 0] ** 3 * phi[:, 1] - 0.01 * phi[:, 1] ** 4

    fit = LaplaceFit(np.zeros(2), 0.0, np.eye(2), True, 1)
    with ThreadPoolExecutor(1) as pool:
        found = fit_surrogate(quartic, fit, Student(fit.mode, fit.root, 1.1, 5.0), pool)
    points = np.random.default_rng(1).standard_normal((50, 2))
    np.testing.assert_allclose(found(points), quartic(points), atol=1e-9)
    assert found.error < 1e-9
    assert found.share == LEAST


def test_its_error_is_that_of_new_points(surrogate):
    unit = np.random.default_rng(1).standard_normal((2000, 2))
    errors = np.abs(surrogate(unit) - skewed(surrogate.base.points(unit)))
    assert 1e-6 < np.quantile(errors, 0.95) < surrogate.error < 0.05


def test_proposals_have_the_density_they_say(surrogate):
    """Weighted to the exact density they have its mean, by a fine grid."""
    unit, log_proposal = surrogate.propose(100_000, np.random.default_rng(1))
    phi = surrogate.base.points(unit)
    log_weight = skewed(phi) - log_proposal
    weight = np.exp(log_weight - log_weight.max())
    assert weight.sum() ** 2 / np.sum(weight**2) > 0.98 * len(weight)
    x, y = np.meshgrid(np.linspace(-1, 0.8, 1201), np.linspace(-4, 5, 1201), indexing="ij")
    grid = np.column_stack([x.ravel(), y.ravel()])
    mass = np.exp(skewed(grid) - FIT.value)
    for f in (lambda p: p[:, 0], lambda p: p[:, 1], lambda p: p[:, 0] ** 2):
        exact = np.average(f(grid), weights=mass)
        error = np.std(f(phi)) / np.sqrt(len(phi))
        assert abs(np.average(f(phi), weights=weight) - exact) < 4 * error


def test_weights_are_unbiased(surrogate):
    """Over the random choice of what is evaluated, with a polynomial that is off by up to a fifth of π."""
    wrong = shifted(surrogate, 0.02, error=0.005)
    unit, log_proposal = wrong.propose(300, np.random.default_rng(1))
    exact = skewed(wrong.base.points(unit)) - log_proposal
    rng, many = np.random.default_rng(2), []
    for _ in range(4000):
        _, log_weight, share = wrong.weigh(skewed, unit, log_proposal, wrong.share, rng)
        assert share < 0.5
        many.append(np.exp(log_weight - exact))
    z = (np.mean(many, axis=0) - 1) / np.maximum(np.std(many, axis=0), 1e-12) * np.sqrt(len(many))
    assert np.abs(z).max() < 4.5
    assert np.std(many) > 1e-3


def test_where_the_polynomial_does_not_hold_all_are_evaluated(surrogate):
    wrong = shifted(surrogate, 0.5)
    unit, log_proposal = wrong.propose(300, np.random.default_rng(1))
    weighed = wrong.weigh(skewed, unit, log_proposal, wrong.share, np.random.default_rng(2))
    log_density, log_weight, share = weighed
    assert share == 1
    np.testing.assert_array_equal(log_density, skewed(wrong.base.points(unit)))
    np.testing.assert_allclose(log_weight, log_density - log_proposal, atol=1e-12)


def test_a_polynomial_with_large_errors_only_proposes(surrogate):
    assert replace(surrogate, error=0.2).share == 1


@pytest.fixture(scope="module")
def target():
    design = crossed_design()
    return Target(design, default_priors(design))


def run(target, **options):
    options = SampleOptions(draws=1000, method="importance", **options)
    return importance(target, options, np.random.SeedSequence(1).spawn(4))


def test_few_evaluations_give_the_posterior_that_all_give(target, monkeypatch):
    few = run(target)
    assert few.exact < 0.5
    assert few.trustworthy
    assert few.efficiency > 0.95
    monkeypatch.setattr(room, "_by_surrogate", lambda *_: [])
    every = run(target)
    assert every.exact == 1
    for read in (lambda c: c.sigma, lambda c: c.sd["a"][:, 0], lambda c: c.sd["b"][:, 0]):
        one, other = (np.log(np.concatenate([read(c) for c in r.parameters])) for r in (few, every))
        error = np.std(one) * np.sqrt(1 / len(one) + 2 / len(other))
        assert abs(one.mean() - other.mean()) < 4 * error
        assert abs(np.log(one.std() / other.std())) < 0.1


def test_every_weight_is_exact_on_request(target):
    found = run(target, exact=True)
    assert found.exact == 1
    assert found.efficiency > 0.95
    # the polynomial still proposes: the same proposals, and nearly the same draws
    few = run(target)
    same = [a.sigma == b.sigma for a, b in zip(found.parameters, few.parameters, strict=True)]
    assert np.mean(same) > 0.5
    inverse = [
        np.log(np.column_stack([c.sigma, *(c.sd[name][:, 0] for name in ("a", "b"))]))
        for c in found.parameters
    ]
    for phi, log_density in zip(inverse, found.log_density, strict=True):
        np.testing.assert_allclose(target(phi), log_density, rtol=1e-12)


def test_draws_do_not_depend_on_cores(target):
    one, two = run(target, cores=1), run(target, cores=2)
    for a, b in zip(one.parameters, two.parameters, strict=True):
        np.testing.assert_array_equal(a.sigma, b.sigma)


def test_a_short_run_does_without(target):
    fits, few = (laplace(target),), evaluations(target.size)
    with ThreadPoolExecutor(1) as pool:
        generators = [np.random.default_rng(1)]
        assert room._by_surrogate(Scan.of(target), fits, generators, few, pool, False) is None

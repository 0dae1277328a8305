"""Draws of (δ, b) against the dense joint Gaussian: exact in distribution, draw by draw."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from bayeslmm.kernel.effects import draws as recover
from bayeslmm.kernel.effects.draws import draw_effects
from bayeslmm.kernel.effects.draws_by_level import has_levels_alike
from bayeslmm.kernel.effects.effect_moments import effect_moments
from bayeslmm.kernel.values.fixed_effects import PriorOfDelta
from tests.kernel.problem.test_condensed import CASES
from tests.kernel.problems import STRUCTURES, make

SIGMA = 1.7


def _prior(kernel, p):
    return PriorOfDelta.of_beta(kernel, np.diag(np.arange(p) / 3.0), 0.1 * np.arange(p))


def _map(problem, prior, kernel):
    """Mean and root of the affine map from normal draws to (δ, b): each unit vector drawn once."""
    size = kernel.p + kernel.q
    units = np.vstack([np.zeros((1, size)), np.eye(size)])
    lam, sigma = np.tile(problem.lam, (size + 1, 1)), np.full(size + 1, SIGMA)
    drawn = np.hstack(draw_effects(kernel, lam, sigma, units[:, : kernel.p], units[:, kernel.p :], prior))
    return drawn[0], (drawn[1:] - drawn[0]).T


@pytest.mark.parametrize("p", [0, 1, 3])
@pytest.mark.parametrize("structure", [name for name in STRUCTURES if name != "none"])
def test_map_of_normal_draws_has_the_joint_gaussian(structure, p):
    problem = make(structure, p, seed=3)
    kernel = problem.kernel
    prior = _prior(kernel, p)
    mean, root = _map(problem, prior, kernel)
    Q = np.linalg.solve(kernel.R_X.T, problem.X.T).T
    C = np.hstack([Q, problem.Z @ problem.Lambda])
    precision = C.T @ (problem.weights[:, None] * C) / SIGMA**2
    precision[:p, :p] += prior.precision
    precision[p:, p:] += np.eye(kernel.q) / SIGMA**2
    residual = problem.y - Q @ kernel.gamma_ls
    c = C.T @ (problem.weights * residual) / SIGMA**2
    c[:p] += prior.shift
    back = np.eye(p + kernel.q)
    back[p:, p:] = problem.Lambda
    assert_allclose(mean, back @ np.linalg.solve(precision, c), rtol=1e-8, atol=1e-9)
    assert_allclose(root @ root.T, back @ np.linalg.inv(precision) @ back.T, rtol=1e-8, atol=1e-9)


def test_draws_of_one_point_do_not_depend_on_their_neighbours():
    problem = make("nested and crossed", 2)
    kernel, rng = problem.kernel, np.random.default_rng(5)
    lam = np.repeat(problem.lam * rng.uniform(0.5, 2, (3, 1)), 2, axis=0)
    sigma = np.repeat([1.0, 2.0, 3.0], 2)
    fixed, z = rng.standard_normal((6, 2)), rng.standard_normal((6, kernel.q))
    prior = _prior(kernel, 2)
    delta, b = draw_effects(kernel, lam, sigma, fixed, z, prior)
    for i in range(6):
        one = slice(i, i + 1)
        alone = draw_effects(kernel, lam[one], sigma[one], fixed[one], z[one], prior)
        assert_allclose(alone[0], delta[one], rtol=1e-13)
        assert_allclose(alone[1], b[one], rtol=1e-12)


@pytest.mark.parametrize("sampled", [True, False])
@pytest.mark.parametrize(
    "name", ["balanced, k=1, p=0", "balanced, k=2, p=3", "partly balanced, k=3, p=1", "between"]
)
def test_levels_alike_give_the_same_draws(monkeypatch, name, sampled):
    problem = CASES[name]
    kernel, rng = problem.kernel, np.random.default_rng(5)
    lam = problem.lam * np.array([[1.0], [1.0], [0.0], [2.0]])
    sigma = np.array([1.0, 1.0, 2.0, 0.5])
    normal = rng.standard_normal((4, kernel.p)), rng.standard_normal((4, kernel.q))
    prior = None if sampled else _prior(kernel, kernel.p)
    assert has_levels_alike(kernel)
    by_levels = draw_effects(kernel, lam, sigma, *normal, prior)
    monkeypatch.setattr(recover, "has_levels_alike", lambda _: False)
    for ours, other in zip(by_levels, draw_effects(kernel, lam, sigma, *normal, prior), strict=True):
        assert_allclose(ours, other, rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize("name", ["one of each, k=2, p=1", "nested", "crossed"])
def test_other_problems_have_no_levels_alike(name):
    assert not has_levels_alike(CASES[name].kernel)


@pytest.mark.parametrize("given", [True, False])
@pytest.mark.parametrize("structure", ["slopes", "nested and crossed", "large tail"])
def test_moments_are_those_of_the_draws(structure, given):
    """The map of normal draws is affine: its constant is the mean, its squared rows sum to the variance."""
    problem = make(structure, 2, seed=3)
    kernel = problem.kernel
    prior = None if given else _prior(kernel, 2)
    size = kernel.q + 2 * (not given)
    fixed, z = np.zeros((size + 1, 2)), np.zeros((size + 1, kernel.q))
    if not given:
        fixed[1:3] = np.eye(2)
    z[size + 1 - kernel.q :] = np.eye(kernel.q)
    lam, sigma = np.tile(problem.lam, (size + 1, 1)), np.full(size + 1, SIGMA)
    delta, b = draw_effects(kernel, lam, sigma, fixed, z, prior)
    beta = kernel.to_beta(delta)
    moments = effect_moments(kernel, lam[:2], sigma[:2], fixed[:2] * given, prior)
    assert_allclose(moments.beta[1], beta[0], rtol=1e-10)
    assert_allclose(moments.b[1], b[0], rtol=1e-9, atol=1e-12)
    assert_allclose(moments.beta_variance[1], ((beta - beta[0]) ** 2).sum(axis=0), rtol=1e-9, atol=1e-12)
    assert_allclose(moments.b_variance[1], ((b - b[0]) ** 2).sum(axis=0), rtol=1e-9, atol=1e-12)

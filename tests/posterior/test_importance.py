import numpy as np
import pytest
from scipy.stats import t as student

from bayeslmm.posterior import importance as room
from bayeslmm.posterior.laplace import laplace
from bayeslmm.posterior.target import Target
from bayeslmm.spec.priors import default_priors


def test_mode_is_a_mode(sleepstudy):
    target = Target(sleepstudy, default_priors(sleepstudy))
    fit = laplace(target)
    assert fit.converged
    assert np.max(np.abs(fit.root.T @ target.value_and_gradient(fit.mode)[1])) < 1e-4
    around = fit.mode + 0.3 * np.concatenate([fit.root.T, -fit.root.T])
    assert np.all(target(around) < fit.value)


def test_laplace_covariance_is_the_inverse_curvature(sleepstudy):
    target = Target(sleepstudy, default_priors(sleepstudy))
    fit = laplace(target)
    steps = 1e-4 * np.eye(target.size)
    gradients = [
        (target.value_and_gradient(fit.mode + s)[1] - target.value_and_gradient(fit.mode - s)[1]) / 2e-4
        for s in steps
    ]
    np.testing.assert_allclose(
        fit.root @ fit.root.T, np.linalg.inv(-np.array(gradients)), rtol=1e-3, atol=1e-5
    )


def test_pareto_k_tells_light_from_heavy_tails():
    rng = np.random.default_rng(1)
    x = rng.standard_normal(4000)
    light = student(5).logpdf(rng.standard_t(5, 4000)) * 0.1
    heavy = student(2).logpdf(x) - (-0.5 * x**2 / 0.3)
    assert room._pareto_k(light) < 0.5
    assert room._pareto_k(heavy) > room.PARETO_K
    assert room._pareto_k(np.full(100, 3.0)) == -np.inf


def test_the_chain_has_the_weighted_distribution():
    """Proposals N(0, 2²) with weights for N(1, 1): the chain's draws have mean 1 and sd 1."""
    rng = np.random.default_rng(5)
    x = 2 * rng.standard_normal(60_000)
    log_weight = -0.5 * (x - 1) ** 2 + 0.5 * (x / 2) ** 2
    kept = x[room._metropolis(log_weight, rng)]
    assert len(kept) == len(x) - room.BURN_IN
    assert kept.mean() == pytest.approx(1.0, abs=0.03)
    assert kept.std() == pytest.approx(1.0, abs=0.03)

import numpy as np
import pytest
from scipy.stats import t as student

from bayeslmm.posterior.methods import importance as room
from bayeslmm.posterior.methods.laplace import laplace
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


def test_a_later_round_proposes_from_the_weighted_moments():
    """Proposals N(0, 2² I) with weights for N(1, I)."""
    phi = 2 * np.random.default_rng(3).standard_normal((40_000, 2))
    log_weight = -0.5 * np.sum((phi - 1) ** 2 - (phi / 2) ** 2, axis=1)
    proposer = room._adapted([room._Proposals(phi, np.zeros(len(phi)), log_weight)])
    np.testing.assert_allclose(proposer.centre, [1, 1], atol=0.03)
    np.testing.assert_allclose(proposer.root @ proposer.root.T, np.eye(2), atol=0.05)


def test_seven_skewed_parameters_are_within_reach(run):
    """Machines has 6 workers and a 3 x 3 covariance: the Laplace fit alone gives 54 effective draws."""
    result = run("score ~ Machine + (Machine | Worker)", "Machines", method="importance", seed=1)
    assert result.method == "importance"
    assert all(check.passed for check in result.checks)


def test_wasteful_weights_are_not_trusted(sleepstudy):
    fit = laplace(Target(sleepstudy, default_priors(sleepstudy)))
    nothing = (), np.zeros((0, 0)), np.zeros((0, 0), dtype=bool)
    assert room.ImportanceRun(*nothing, pareto_k=0.2, efficiency=0.8, laplace=fit).trustworthy
    assert not room.ImportanceRun(*nothing, pareto_k=0.2, efficiency=0.1, laplace=fit).trustworthy
    assert not room.ImportanceRun(*nothing, pareto_k=0.8, efficiency=0.8, laplace=fit).trustworthy

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pandas as pd
import pytest
from scipy.stats import t as student

from bayeslmm.posterior.methods import importance as room
from bayeslmm.posterior.methods.laplace import laplace
from bayeslmm.posterior.methods.modes import Scan, modes
from bayeslmm.posterior.options import SampleOptions
from bayeslmm.posterior.target import Target
from bayeslmm.spec.build import build
from bayeslmm.spec.model_spec import ModelSpec
from bayeslmm.spec.priors import HalfNormal, Uniform, default_priors


@pytest.fixture
def conflict():
    """Eight groups far apart, under a prior that can't have it."""
    rng = np.random.default_rng([5, 136])
    g = np.repeat(np.arange(8), 15)
    y = 5 * rng.standard_normal(8)[g] + rng.standard_normal(120)
    design = build(ModelSpec("y ~ 1 + (1 | g)"), pd.DataFrame({"y": y, "g": g.astype(str)})).design
    return design, default_priors(design).replace({"sd": HalfNormal(0.0688)})


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
    assert room.pareto_k(light) < 0.5
    assert room.pareto_k(heavy) > room.PARETO_K
    assert room.pareto_k(np.full(100, 3.0)) == -np.inf


def test_the_chain_has_the_weighted_distribution():
    """Proposals N(0, 2²) with weights for N(1, 1): the chain's draws have mean 1 and sd 1."""
    rng = np.random.default_rng(5)
    x = 2 * rng.standard_normal(60_000)
    log_weight = -0.5 * (x - 1) ** 2 + 0.5 * (x / 2) ** 2
    kept = x[room._metropolis(log_weight, rng)]
    assert len(kept) == len(x) - room.BURN_IN
    assert kept.mean() == pytest.approx(1.0, abs=0.03)
    assert kept.std() == pytest.approx(1.0, abs=0.03)


def test_seven_skewed_parameters_are_within_reach(run):
    """Machines has 6 workers and a 3 x 3 covariance: the Laplace fit alone gives 54 effective draws."""
    result = run("score ~ Machine + (Machine | Worker)", "Machines", method="importance", seed=1)
    assert result.method == "importance"
    assert all(check.passed for check in result.checks)


def test_wasteful_weights_are_not_trusted(sleepstudy):
    fit = laplace(Target(sleepstudy, default_priors(sleepstudy)))
    nothing = (), np.zeros((0, 0)), np.zeros((0, 0), dtype=bool)
    assert room.ImportanceRun(*nothing, pareto_k=0.2, efficiency=0.8, modes=(fit,)).trustworthy
    assert not room.ImportanceRun(*nothing, pareto_k=0.2, efficiency=0.1, modes=(fit,)).trustworthy
    assert not room.ImportanceRun(*nothing, pareto_k=0.8, efficiency=0.8, modes=(fit,)).trustworthy
    blind = room.ImportanceRun(*nothing, pareto_k=0.2, efficiency=0.8, modes=(fit,), missed=0.02)
    assert not blind.trustworthy


def test_a_mode_that_proposals_lack_is_seen(conflict):
    """With only the mode of little mass to propose from, the weights look fine and the scan does not."""
    target = Target(*conflict)
    scan = Scan.of(target)
    found = modes(target, scan)
    assert len(found) == 2
    light = min(found, key=lambda fit: fit.log_mass)
    rng = [np.random.default_rng(1)]
    with ThreadPoolExecutor(1) as pool:
        blind = room._rounds(scan, (light,), rng, 4000, pool)
        seeing = room._rounds(scan, found, rng, 4000, pool)
    assert room.pareto_k(blind.log_weight) < room.PARETO_K
    assert room.kish(blind.log_weight) > room.WASTEFUL
    assert blind.missed > 2 * room.MISSED
    assert seeing.missed < room.MISSED


def test_without_a_proper_mode_nothing_is_proposed(sleepstudy):
    """A prior that ends far from where the data are: the density only rises to its end."""
    target = Target(sleepstudy, default_priors(sleepstudy).replace({"beta[Days]": Uniform(100, 101)}))
    found = room.importance(target, SampleOptions(draws=50, chains=1), [np.random.SeedSequence(1)])
    assert not found.trustworthy
    assert not found.parameters

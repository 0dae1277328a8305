"""Draws of β and b against the dense joint Gaussian."""

import numpy as np
import pytest

from bayeslmm.posterior.effects.recover import BATCH, dear, expected_effects, recover_effects
from bayeslmm.posterior.target import Target
from bayeslmm.spec.priors import Flat, Normal, default_priors
from tests.posterior.conftest import crossed_design

N = 40_000


def dense_posterior(design, sigma, sd, cor, precision, shift):
    """Mean and covariance of (β, b) from the full precision matrix."""
    lam = design.covariance.unflatten(design.covariance.from_natural(sd, cor, sigma))
    blocks = [np.kron(np.eye(b.n_levels), factor) for b, factor in zip(design.blocks, lam, strict=True)]
    Lambda = np.zeros((design.q, design.q))
    first = 0
    for block in blocks:
        last = first + len(block)
        Lambda[first:last, first:last] = block
        first = last
    C = np.hstack([design.X, design.Z.toarray() @ Lambda])
    K = C.T @ (design.residual.weights[:, None] * C) / sigma**2
    K[: design.p, : design.p] += precision
    K[design.p :, design.p :] += np.eye(design.q) / sigma**2
    c = C.T @ (design.residual.weights * (design.y - design.offset)) / sigma**2
    c[: design.p] += shift
    back = np.eye(len(K))
    back[design.p :, design.p :] = Lambda
    return back @ np.linalg.solve(K, c), back @ np.linalg.inv(K) @ back.T


@pytest.mark.parametrize("prior", [Flat(), Normal(200.0, 8.0)])
def test_moments_are_those_of_the_joint_gaussian(sleepstudy, prior):
    priors = default_priors(sleepstudy).replace({"beta[Intercept]": prior})
    target = Target(sleepstudy, priors)
    phi = np.array([np.log(25.6), np.log(24.7), np.log(5.9), np.arctanh(0.07)])
    parameters = target.parameters(np.broadcast_to(phi, (N, 4)))
    beta, b = recover_effects(sleepstudy, priors, parameters, np.random.SeedSequence(1))
    precision, shift = np.zeros((2, 2)), np.zeros(2)
    if isinstance(prior, Normal):
        precision[0, 0], shift[0] = prior.sd**-2, prior.mean * prior.sd**-2
    sd, cor = {"Subject": np.array([24.7, 5.9])}, {"Subject": np.array([0.07])}
    mean, cov = dense_posterior(sleepstudy, 25.6, sd, cor, precision, shift)
    draws = np.hstack([beta, b])
    spread = np.sqrt(np.diag(cov))
    assert np.max(np.abs(draws.mean(axis=0) - mean) / spread) < 4.5 / np.sqrt(N)
    scaled = np.cov(draws.T) / np.outer(spread, spread)
    assert np.max(np.abs(scaled - cov / np.outer(spread, spread))) < 7 / np.sqrt(N)


def test_draws_that_share_parameters_differ(sleepstudy):
    priors = default_priors(sleepstudy)
    target = Target(sleepstudy, priors)
    phi = np.repeat(target.start()[None], 3, axis=0)
    beta, b = recover_effects(sleepstudy, priors, target.parameters(phi), np.random.SeedSequence(2))
    assert len(np.unique(beta[:, 0])) == len(np.unique(b[:, 0])) == 3


def test_given_beta_is_kept(sleepstudy):
    from bayeslmm.spec.priors import StudentT

    priors = default_priors(sleepstudy).replace({"beta": StudentT(4, 0, 100)})
    target = Target(sleepstudy, priors)
    given = target.parameters(target.start()[None] + 0.3)
    beta, _ = recover_effects(sleepstudy, priors, given, np.random.SeedSequence(2))
    np.testing.assert_array_equal(beta, given.beta)


def nearby(design, m):
    """A target and m points about a plausible one."""
    target = Target(design, default_priors(design))
    phi = np.log([1.0, 0.5, 0.8]) + 0.1 * np.random.default_rng(1).standard_normal((m, 3))
    return target, target.parameters(phi)


def test_where_a_factor_is_dear_draws_are_about_their_means():
    design = crossed_design()
    assert dear(design)
    target, parameters = nearby(design, 400)
    beta, b = expected_effects(design, target.priors, parameters)
    for i in (0, BATCH, 399):
        sd = {group: values[i] for group, values in parameters.sd.items()}
        none = {group: np.zeros(0) for group in sd}
        mean, _ = dense_posterior(design, parameters.sigma[i], sd, none, np.zeros((1, 1)), np.zeros(1))
        np.testing.assert_allclose(np.concatenate([beta[i], b[i]]), mean, rtol=1e-8, atol=1e-8)
    drawn = recover_effects(design, target.priors, parameters, np.random.SeedSequence(4))
    spread = np.sqrt(np.var(drawn[1] - b, axis=0))
    z = np.mean(drawn[1] - b, axis=0) / spread * np.sqrt(len(b))
    assert np.abs(z).max() < 4.5


@pytest.mark.parametrize("large", [False, True])
def test_a_longer_chain_begins_with_the_shorter(sleepstudy, large):
    if large:
        target, parameters = nearby(crossed_design(), 150)
    else:
        target = Target(sleepstudy, default_priors(sleepstudy))
        phi = target.start() + 0.1 * np.random.default_rng(1).standard_normal((150, target.size))
        parameters = target.parameters(phi)
    short, long = (
        recover_effects(target.design, target.priors, parameters.take(slice(m)), np.random.SeedSequence(4))
        for m in (100, 150)
    )
    for one, other in zip(short, long, strict=True):
        if large:
            np.testing.assert_allclose(one, other[:100], rtol=1e-8, atol=1e-8)
        else:
            np.testing.assert_array_equal(one, other[:100])

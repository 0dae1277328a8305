"""log p(y_j | y_-j, φ) against two dense likelihoods: of all rows, and of the others."""

import numpy as np
import pytest

from bayeslmm.datasets import load_dataset
from bayeslmm.posterior.effects.group_likelihood import group_log_likelihood
from bayeslmm.posterior.target import Target
from bayeslmm.spec.build import build
from bayeslmm.spec.dense import dense_covariance
from bayeslmm.spec.model_spec import ModelSpec
from bayeslmm.spec.priors import Normal, StudentT, default_priors

MODELS = [
    ("Reaction ~ Days + (Days | Subject)", "sleepstudy"),
    ("strength ~ 1 + (1 | batch/cask)", "Pastes"),
    ("diameter ~ 1 + (1 | plate) + (1 | sample)", "Penicillin"),
]


def dense_log_likelihood(V, X, y, beta, mean, sd):
    """log p(y): at beta, or with β ~ N(mean, sd²) where sd is finite, flat where not."""
    inverse, r = np.linalg.inv(V), y - X @ (beta if beta is not None else mean)
    out = len(y) * np.log(2 * np.pi) + np.linalg.slogdet(V)[1] + r @ inverse @ r
    if beta is None:
        K = X.T @ inverse @ X + np.diag(sd**-2.0)
        c = X.T @ inverse @ r
        out += np.linalg.slogdet(K)[1] - c @ np.linalg.solve(K, c)
        out += np.sum(2 * np.log(sd[np.isfinite(sd)])) - np.sum(~np.isfinite(sd)) * np.log(2 * np.pi)
    return -0.5 * out


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("prior", ["flat", "normal", "sampled"])
@pytest.mark.parametrize(("formula", "dataset"), MODELS)
def test_density_is_a_ratio_of_dense_likelihoods(formula, dataset, prior, weighted):
    data = load_dataset(dataset)
    weights = np.random.default_rng(1).uniform(0.5, 2, len(data)) if weighted else None
    found = build(ModelSpec(formula, weights=weights), data).design
    given = {"normal": {"beta": Normal(10.0, 30.0)}, "sampled": {"beta": StudentT(4, 0, 100)}}.get(prior, {})
    target = Target(found, default_priors(found).replace(given))
    phi = target.start() + 0.2 * np.random.default_rng(2).standard_normal((2, target.size))
    parameters = target.parameters(phi)
    values = group_log_likelihood(found, target.priors, parameters)
    assert values.shape == (2, found.blocks[0].n_levels)
    from bayeslmm.posterior.parameters import correlations

    cor = {group: c[1] for group, c in correlations(found, parameters).items()}
    sd = {group: s[1] for group, s in parameters.sd.items()}
    sigma = float(parameters.sigma[1])
    lam = found.covariance.unflatten(found.covariance.from_natural(sd, cor, sigma))
    V = dense_covariance(found, found.covariance.from_factors(lam), sigma)
    beta = None if parameters.beta is None else parameters.beta[1]
    mean, spread = np.zeros(found.p), np.full(found.p, np.inf)
    if prior == "normal":
        mean, spread = np.full(found.p, 10.0), np.full(found.p, 30.0)
    y = found.y - found.offset
    whole = dense_log_likelihood(V, found.X, y, beta, mean, spread)
    for j in (0, found.blocks[0].n_levels - 1):
        rest = found.blocks[0].codes != j
        others = dense_log_likelihood(V[np.ix_(rest, rest)], found.X[rest], y[rest], beta, mean, spread)
        assert values[1, j] == pytest.approx(whole - others, rel=1e-8, abs=1e-8)

"""Refits as draws of the labelled parameters."""

import numpy as np
from numpy.typing import NDArray

from bayeslmm.likelihood.fitted import Fitted
from bayeslmm.spec.coordinates import Coordinates
from bayeslmm.spec.relative import CovarianceMap

type Array = NDArray[np.float64]


def natural_draws(covariance: CovarianceMap, lam: Array, sigma: Array) -> tuple[Array, Array]:
    """Free absolute sd (m, n_sd) and cor (m, n_pairs) of m factors: block by block, in the labels' order.

    Parameters
    ----------
    lam : (m, n_lam) relative factors. sigma : (m,).

    Notes
    -----
    A correlation is NaN where one of its sds is 0.
    """
    sds, cors = [np.zeros((len(sigma), 0))], [np.zeros((len(sigma), 0))]
    for number, (k, offset) in enumerate(zip(covariance.sizes, covariance.offsets, strict=True)):
        rows = lam[:, offset : offset + k * k].reshape(-1, k, k)
        length = np.sqrt(np.sum(rows**2, axis=2))
        sds.append(sigma[:, None] * length[:, list(covariance.block_sds(number))])
        pairs = np.array(covariance.block_pairs(number), dtype=np.int64).reshape(-1, 2)
        with np.errstate(invalid="ignore", divide="ignore"):
            unit = rows / length[:, :, None]
        cors.append(np.clip(np.sum(unit[:, pairs[:, 0]] * unit[:, pairs[:, 1]], axis=2), -1.0, 1.0))
    return np.hstack(sds), np.hstack(cors)


def parameter_draws(coordinates: Coordinates, beta: Array, x: Array, lam: Array, sigma: Array) -> Array:
    """(m, n) draws in the order of `parameter_labels`, from β (m, p), x = (θ, φ), Λ (m, n_lam) and σ (m,)."""
    residual = coordinates.residual
    sd, cor = natural_draws(coordinates.covariance, lam, sigma)
    of_residual = np.zeros((len(sigma), len(residual.labels)))
    if residual.n_phi:
        phi = coordinates.phi(x)
        of_residual[...] = [residual.parameters(*each).values for each in zip(phi, sigma, strict=True)]
    free = sigma[:, None][:, : residual.sigma_free]
    return np.asarray(np.hstack([beta, sd, cor, of_residual, free]))


def parameters(fit: Fitted) -> Array:
    """(n,) estimates of one fit, in the order of `parameter_labels`."""
    rows = (fit.beta_values[None], fit.optimum.x[None], fit.lam[None], np.array([fit.sigma]))
    return np.asarray(parameter_draws(fit.design.coordinates, *rows)[0])


def standard_errors(fit: Fitted) -> Array:
    """(n,) standard errors of `parameters`: Wald's, by the delta method, NaN on the boundary."""
    errors = fit.natural_errors
    groups = fit.design.covariance.groups
    sigma = [errors.sigma] * (fit.design.residual.sigma_free)
    parts = [errors.sd[group] for group in groups] + [errors.cor[group] for group in groups]
    parts.append(fit.residual_errors)
    return np.concatenate([fit.se.to_numpy(), *parts, np.array(sigma)])

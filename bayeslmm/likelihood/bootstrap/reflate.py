"""Residuals and predicted effects brought to the first two moments that the fit claims for them."""

import numpy as np
from numpy.typing import NDArray

from bayeslmm.likelihood.bootstrap.hierarchy import check_exchangeable
from bayeslmm.spec.design import Design

type Array = NDArray[np.float64]


def standardized(u: Array) -> Array:
    """Rows (J, k) with mean 0 and mean square I, by the Cholesky factor of their own mean square.

    Where some direction has no spread it stays at 0, and symmetric roots do the rest.
    """
    centred = u - u.mean(axis=0)
    square = centred.T @ centred / len(u)
    values, vectors = np.linalg.eigh(square)
    kept = values > 1e-10 * max(values[-1], 1e-300)
    if kept.all():
        return np.asarray(np.linalg.solve(np.linalg.cholesky(square), centred.T).T)
    root = vectors[:, kept] / np.sqrt(values[kept])
    return np.asarray(centred @ root @ vectors[:, kept].T)


def reflated_effects(design: Design, theta: Array, sigma: float, b: Array) -> list[Array]:
    """Effects of each block, (J, k), with mean 0 and mean square exactly σ²ΛΛᵀ.

    Raises
    ------
    OptionError
        Where levels have a known covariance and so aren't exchangeable.
    """
    check_exchangeable(design.blocks)
    out, first = [], 0
    for block, factor in zip(design.blocks, design.covariance.factors(theta), strict=True):
        own = b[first : first + block.q].reshape(block.n_levels, block.k)
        u = own @ np.linalg.pinv(factor).T
        out.append(sigma * standardized(u) @ factor.T)
        first += block.q
    return out


def reflated_residuals(e: Array, sigma: float) -> Array:
    """Residuals (n,) of unit weight with mean 0 and mean square σ²."""
    centred = e - e.mean()
    return np.asarray(centred * (sigma / np.sqrt(np.mean(centred**2))))

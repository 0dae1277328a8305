"""Factors of covariance and correlation matrices that may be singular."""

from functools import lru_cache
from math import sqrt

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bayeslmm.errors import OptionError

type Array = NDArray[np.float64]


def correlation_factor(correlation: ArrayLike) -> Array:
    """The lower Cholesky factor of a correlation matrix, which may be singular; reads its lower triangle.

    Raises
    ------
    OptionError
        When the matrix isn't positive semidefinite.
    """
    R = np.asarray(correlation, dtype=float)
    L = np.zeros_like(R)
    for j in range(len(R)):
        pivot = R[j, j] - L[j, :j] @ L[j, :j]
        rest = R[j + 1 :, j] - L[j + 1 :, :j] @ L[j, :j]
        vanished = pivot <= 1e-15
        if pivot < -1e-10 or (vanished and np.any(np.abs(rest) > 1e-6)):
            raise OptionError(
                f"these correlations don't make a correlation matrix:\n{np.tril(R, -1) + np.eye(len(R))}"
            )
        if not vanished:
            L[j, j] = np.sqrt(pivot)
            L[j + 1 :, j] = rest / L[j, j]
    return L


def lower_factor(factor: ArrayLike) -> Array:
    """The lower-triangular L, diagonal ≥ 0, with LLᵀ = FFᵀ; a lost rank shows as a column of zeros."""
    F = np.asarray(factor, dtype=float)
    length = np.sqrt(np.sum(F**2, axis=1, keepdims=True))
    rows = F / np.where(length > 0, length, 1.0)
    T = rows @ rows.T
    L = np.zeros_like(T)
    for j in range(len(T)):
        pivot = T[j, j] - L[j, :j] @ L[j, :j]
        if pivot > 1e-13:
            L[j:, j] = (T[j:, j] - L[j:, :j] @ L[j, :j]) / np.sqrt(pivot)
    return length * L


def gram_root(gram: ArrayLike) -> Array:
    """Upper-triangular R with RᵀR = gram, or the diagonal's root if gram is singular."""
    given = np.asarray(gram, dtype=float)
    return _gram_root(given.tobytes(), len(given))


@lru_cache(maxsize=64)
def _gram_root(gram: bytes, k: int) -> Array:
    given = np.frombuffer(gram).reshape(k, k)
    try:
        root = np.linalg.cholesky(given).T
    except np.linalg.LinAlgError:
        root = np.diag(1 / inverse_root(given.diagonal()))
    root.setflags(write=False)
    return root


def of_unit_size(matrices: Array) -> Array:
    """Each of r matrices (r, k, k) over its largest element, whose square may be no number; 0 stays 0."""
    sizes = np.abs(matrices).max(axis=(1, 2), keepdims=True)
    return np.asarray(matrices / np.where(sizes > 0, sizes, 1.0))


def inverse_root(diagonal: ArrayLike) -> Array:
    """1/√d, and 1 where d is 0."""
    d = np.asarray(diagonal, dtype=float)
    return 1 / np.sqrt(np.where(d > 0, d, 1.0))


def inverse_factor(gram: ArrayLike) -> Array:
    """A factor of gram⁻¹, lower-triangular; of its diagonal's where it is singular."""
    G = np.asarray(gram, dtype=float)
    scale = inverse_root(G.diagonal())
    scaled = scale[:, None] * G * scale
    try:
        return np.asarray(scale[:, None] * np.linalg.cholesky(np.linalg.inv(scaled)))
    except np.linalg.LinAlgError:  # collinear coefs: their own scales are enough
        return np.diag(scale)


def contribution(part: Array, gram: ArrayLike) -> float:
    """Root mean square of zᵀb over rows, b = part·u and u spherical."""
    return sqrt(max(0.0, float(np.vdot(part, np.asarray(gram) @ part))))

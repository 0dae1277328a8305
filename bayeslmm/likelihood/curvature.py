"""The second derivative of a criterion at a point, and its inverse on the directions it knows."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

type Array = NDArray[np.float64]

STEP = 1e-3  # in natural changes; the error of these central differences is of its fourth power
FLAT = 1e-7  # of the largest curvature, below which differences of gradients see none


def hessian(objective: Callable[[Array], tuple[float, Array]], x: Array, basis: Array) -> Array:
    """BᵀHB (m, m) by central differences of the gradient, of fourth order, along the columns of B (k, m)."""

    def column(step: Array) -> Array:
        near, far = (objective(x + m * step)[1] - objective(x - m * step)[1] for m in (1, 2))
        return basis.T @ (8 * near - far) / (12 * STEP)

    return _symmetric([column(STEP * along) for along in basis.T])


def errors_of(variances: Array) -> Array:
    """Roots of variances (m,); NaN where rounding has left less than 0."""
    return np.sqrt(np.where(variances >= 0, variances, np.nan))


def _symmetric(columns: list[Array]) -> Array:
    found = np.array(columns).reshape(len(columns), len(columns))
    return np.asarray(0.5 * (found + found.T))


def inverse_root(matrix: Array, flat: float = FLAT) -> Array:
    """F (k, r) with FFᵀ the inverse of a symmetric matrix on the directions it knows something of.

    Rows and columns are first divided by the root of the diagonal; one that is `flat` of the largest, or an
    eigenvalue that is `flat` of the largest after that, counts as 0.
    """
    diagonal = np.diag(matrix)
    known = diagonal > flat * diagonal.max(initial=0.0)
    sizes = np.sqrt(diagonal[known])
    values, vectors = np.linalg.eigh(matrix[np.ix_(known, known)] / np.outer(sizes, sizes))
    kept = values > flat * values.max(initial=0.0)
    root = np.zeros((len(matrix), int(kept.sum())))
    root[known] = vectors[:, kept] / np.sqrt(values[kept]) / sizes[:, None]
    return root

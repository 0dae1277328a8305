"""Dense Cholesky factor and inverse for the tail, in blocks of matrix products."""

import numpy as np

from bayeslmm.kernel.blocks import Floats
from bayeslmm.kernel.compiled import compiled

BLOCK = 48


@compiled
def _cholesky_columns(a: Floats, start: int, stop: int, n: int) -> float:
    """Factor columns start .. stop of rows start .. n, the columns before already taken off."""
    logdet = 0.0
    for c in range(start, stop):
        pivot = a[c, c]
        for m in range(start, c):
            pivot -= a[c, m] ** 2
        if not pivot > 0.0:
            return -np.inf
        pivot = np.sqrt(pivot)
        a[c, c] = pivot
        logdet += 2.0 * np.log(pivot)
        for r in range(c + 1, n):
            x = a[r, c]
            for m in range(start, c):
                x -= a[r, m] * a[c, m]
            a[r, c] = x / pivot
    return logdet


@compiled
def cholesky_leading(a: Floats, size: int) -> float:
    """Eliminate the first `size` rows and columns of a symmetric matrix in place.

    Parameters
    ----------
    a : (n, n), lower triangle used. On return its first `size` columns are those of the Cholesky factor
        and the rest is the Schur complement.

    Returns
    -------
    log|L|² of the leading part, or -inf where it is not positive definite.
    """
    n = a.shape[0]
    logdet = 0.0
    for start in range(0, size, BLOCK):
        stop = min(start + BLOCK, size)
        logdet += _cholesky_columns(a, start, stop, n)
        if not np.isfinite(logdet):
            return -np.inf
        if n - stop <= BLOCK:
            for r in range(stop, n):
                for c in range(stop, r + 1):
                    x = 0.0
                    for m in range(start, stop):
                        x += a[r, m] * a[c, m]
                    a[r, c] -= x
        else:
            below = np.ascontiguousarray(a[stop:, start:stop])
            for top in range(stop, n, 4 * BLOCK):
                bottom = min(top + 4 * BLOCK, n)
                rows = below[top - stop : bottom - stop]
                a[top:bottom, stop:bottom] -= np.dot(rows, below[: bottom - stop].T)
    return logdet


@compiled
def inverse_from_cholesky(a: Floats, size: int) -> Floats:
    """(LLᵀ)⁻¹ from the leading `size` columns of a Cholesky factor; full symmetric (size, size)."""
    inverse = np.zeros((size, size))
    for start in range(0, size, BLOCK):
        stop = min(start + BLOCK, size)
        for c in range(start, stop):
            inverse[c, c] = 1.0 / a[c, c]
            for r in range(c + 1, stop):
                x = 0.0
                for m in range(c, r):
                    x -= a[r, m] * inverse[m, c]
                inverse[r, c] = x / a[r, r]
    for start in range(BLOCK, size, BLOCK):
        stop = min(start + BLOCK, size)
        product = np.dot(np.ascontiguousarray(a[start:stop, :start]), np.ascontiguousarray(inverse[:start, :start]))
        inverse[start:stop, :start] = -np.dot(np.ascontiguousarray(inverse[start:stop, start:stop]), product)
    if size <= BLOCK:
        out = np.zeros((size, size))
        for r in range(size):
            for c in range(r + 1):
                x = 0.0
                for m in range(r, size):
                    x += inverse[m, r] * inverse[m, c]
                out[r, c] = x
                out[c, r] = x
        return out
    return np.dot(inverse.T, inverse)

"""Dense Cholesky factor and inverse for the tail, in loops a compiler can vectorize.

Large tails go through LAPACK instead (`kernel.lapack`); these serve small ones, and code that has to be
compiled whole. No matrix product is called here: compiling one costs more than a small problem's whole fit.
"""

import numpy as np

from bayeslmm.kernel.blocks import Floats
from bayeslmm.kernel.compiled import compiled

BLOCK = 32


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
        panel = np.empty((stop - start, n))
        for c in range(start, stop):
            pivot = a[c, c]
            for m in range(start, c):
                pivot -= a[c, m] * a[c, m]
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
                panel[c - start, r] = a[r, c]
        for r in range(stop, n):
            for m in range(stop - start):
                x = panel[m, r]
                for c in range(stop, r + 1):
                    a[r, c] -= x * panel[m, c]
    return logdet


@compiled
def sweep(a: Floats, size: int) -> float:
    """Sweep the first `size` pivots of a symmetric matrix [P, B; Bᵀ, D] in place (Goodnight 1979).

    Parameters
    ----------
    a : (n, n), full. On return [−P⁻¹, P⁻¹B; BᵀP⁻¹, D − BᵀP⁻¹B].

    Returns
    -------
    log|P|, or -inf where it is not positive definite; then `a` is of no use.
    """
    n = a.shape[0]
    logdet = 0.0
    for c in range(size):
        pivot = a[c, c]
        if not pivot > 0.0:
            return -np.inf
        logdet += np.log(pivot)
        for r in range(n):
            if r != c:
                x = a[r, c] / pivot
                for m in range(n):
                    if m != c:
                        a[r, m] -= x * a[c, m]
                a[r, c] = x
        for m in range(n):
            a[c, m] /= pivot
        a[c, c] = -1.0 / pivot
    return logdet


@compiled
def inverse_from_cholesky(a: Floats, size: int) -> Floats:
    """(LLᵀ)⁻¹ from the leading `size` columns of a Cholesky factor; full symmetric (size, size)."""
    root = np.zeros((size, size))
    for r in range(size):
        root[r, r] = 1.0
        for m in range(r):
            x = a[r, m]
            for c in range(m + 1):
                root[r, c] -= x * root[m, c]
        for c in range(r + 1):
            root[r, c] /= a[r, r]
    out = np.zeros((size, size))
    for m in range(size):
        for r in range(m + 1):
            x = root[m, r]
            for c in range(r + 1):
                out[r, c] += x * root[m, c]
    for r in range(size):
        for c in range(r):
            out[c, r] = out[r, c]
    return out


@compiled
def solve_rows_transposed(a: Floats, rows: Floats) -> None:
    """Solve Lᵀx = w in place for every row w of `rows` (m, size), L the leading part of a Cholesky factor."""
    for r in range(rows.shape[1] - 1, -1, -1):
        for c in range(rows.shape[0]):
            rows[c, r] /= a[r, r]
            x = rows[c, r]
            for m in range(r):
                rows[c, m] -= x * a[r, m]

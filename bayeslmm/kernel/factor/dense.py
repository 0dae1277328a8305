"""Dense matrices: Cholesky factor, inverse and sweep, by loops or, of large ones, by LAPACK.

A lower triangle held by rows is an upper one held by columns, so LAPACK works in place and nothing is copied.
Threads that factor at the same time run side by side; BLAS should have one thread then, which is for the
caller to say (`threadpoolctl`).
"""

from math import log

import numpy as np

from bayeslmm.kernel.arrays import Floats
from bayeslmm.kernel.compiled import compiled, compiled_always, inlined
from bayeslmm.kernel.factor.lapack import address_of, call_routine

BLOCK = 32
LARGE = 96  # size from which LAPACK's blocked code beats loops, its call included
UPPER, LEFT, TRANSPOSED, PLAIN = (np.uint8(ord(letter)) for letter in "ULTN")


@inlined
def is_large(size: int) -> bool:
    """Whether a matrix is LAPACK's: here, and nowhere else, the size decides."""
    return size >= LARGE and _lapack_is_there()


@compiled_always
def _lapack_is_there() -> bool:
    there: bool = address_of("lapack.dpotrf") > 0
    return there


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
    return _cholesky_by_lapack(a, size) if is_large(size) else _cholesky_by_loops(a, size)


@compiled_always
def _cholesky_by_lapack(a: Floats, size: int) -> float:
    width, rest = a.shape[1], a.shape[0] - size
    info = np.zeros(1, dtype=np.int32)
    call_routine(address_of("lapack.dpotrf"), (UPPER, size, a, width, info))
    if info[0] != 0:
        return -np.inf
    logdet = 0.0
    for r in range(size):
        logdet += 2.0 * log(a[r, r])
    W, schur = a[size:], a[size:, size:]
    solve = address_of("blas.dtrsm")
    call_routine(solve, (LEFT, UPPER, TRANSPOSED, PLAIN, size, rest, 1.0, a, width, W, width))
    call_routine(address_of("blas.dsyrk"), (UPPER, TRANSPOSED, rest, size, -1.0, W, width, 1.0, schur, width))
    return logdet


@compiled
def _cholesky_by_loops(a: Floats, size: int) -> float:
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
            logdet += 2.0 * log(pivot)
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
        logdet += log(pivot)
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
    """(LLᵀ)⁻¹ from the leading `size` columns of a Cholesky factor, (size, size); lower triangle."""
    out = np.zeros((size, size))
    if is_large(size):
        _invert_by_lapack(a, out)
    else:
        _invert_by_loops(a, out)
    return out


@compiled_always
def _invert_by_lapack(a: Floats, out: Floats) -> None:
    size, info = len(out), np.zeros(1, dtype=np.int32)
    for r in range(size):
        for c in range(r + 1):
            out[r, c] = a[r, c]
    call_routine(address_of("lapack.dpotri"), (UPPER, size, out, size, info))


@compiled
def _invert_by_loops(a: Floats, out: Floats) -> None:
    size = len(out)
    root = np.zeros((size, size))
    for r in range(size):
        root[r, r] = 1.0
        for m in range(r):
            x = a[r, m]
            for c in range(m + 1):
                root[r, c] -= x * root[m, c]
        for c in range(r + 1):
            root[r, c] /= a[r, r]
    for m in range(size):
        for r in range(m + 1):
            x = root[m, r]
            for c in range(r + 1):
                out[r, c] += x * root[m, c]


@compiled
def solve_rows_transposed(a: Floats, rows: Floats) -> None:
    """Solve Lᵀx = w in place for every row w of `rows` (m, size), L the leading part of a Cholesky factor."""
    for r in range(rows.shape[1] - 1, -1, -1):
        for c in range(rows.shape[0]):
            rows[c, r] /= a[r, r]
            x = rows[c, r]
            for m in range(r):
                rows[c, m] -= x * a[r, m]

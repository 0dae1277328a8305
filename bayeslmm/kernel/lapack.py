"""Large dense tails by LAPACK: the factor and inverse of the compiled loops, faster from some size on.

A lower triangle held by rows is an upper one held by columns, so LAPACK works in place and nothing is copied.
The routines are SciPy's own, called by address through ctypes, which leaves the interpreter free; SciPy's
wrappers hold it. Threads that factor at the same time therefore run side by side.
"""

from ctypes import CFUNCTYPE, byref, c_double, c_int, c_void_p
from functools import cache
from typing import Any

import numpy as np

from bayeslmm.kernel import layout as at
from bayeslmm.kernel.blocks import Floats, Ints
from bayeslmm.kernel.dense import inverse_from_cholesky
from bayeslmm.kernel.factor import (
    eliminate_chain,
    factor,
    read_moments,
    relative_factors,
    scaled_panels,
    scaled_tail,
)

FROM = 96  # tail size from which LAPACK's blocked code beats loops, its call included


def bordered_factor(lam: Floats, ints: Ints, floats: Floats) -> tuple[float, Floats, Floats, Floats]:
    """As `factor.factor`, whatever the size of the tail: no inverse, no derivative.

    Value and factor in one: (log|V₀|, A) is the likelihood's, and (panels, tail) is what
    `recover.draw_random_effects` and `conditional.solve_transposed` draw b from. Threads may call it side by
    side; BLAS should have one thread then, which is for the caller to say (`threadpoolctl`).
    """
    if ints[at.Q_TAIL] < FROM:
        return factor(lam, ints, floats)
    factors = relative_factors(lam, ints, floats)
    panels = scaled_panels(factors, ints, floats)
    tail = scaled_tail(factors, ints, floats)
    logdet = eliminate_chain(panels, tail, ints, floats)
    if np.isfinite(logdet):
        logdet += _eliminate_tail(tail, int(ints[at.Q_TAIL]))
    return logdet + floats[ints[at.CONSTANTS]], read_moments(tail, ints), panels, tail


def tail_inverse(tail: Floats, ints: Ints) -> Floats:
    """M⁻¹ of the tail, (q_tail, q_tail); lower triangle, the rest undefined."""
    size = int(ints[at.Q_TAIL])
    if size < FROM:
        return inverse_from_cholesky(tail, size)
    inverse = np.ascontiguousarray(tail[:size, :size])
    n, info = c_int(size), c_int()
    _routine("lapack", "dpotri", 5)(b"U", byref(n), inverse.ctypes.data, byref(n), byref(info))
    return inverse


def _eliminate_tail(tail: Floats, size: int) -> float:
    """As `dense.cholesky_leading`."""
    n, m, width, info = c_int(size), c_int(len(tail) - size), c_int(len(tail)), c_int()
    L, border = tail.ctypes.data, tail[size:].ctypes.data
    _routine("lapack", "dpotrf", 5)(b"U", byref(n), L, byref(width), byref(info))
    if info.value:
        return -np.inf
    solve = _routine("blas", "dtrsm", 11)
    sides = (b"L", b"U", b"T", b"N")
    solve(*sides, byref(n), byref(m), byref(c_double(1.0)), L, byref(width), border, byref(width))
    W = tail[size:, :size]
    tail[size:, size:] -= W @ W.T
    return 2.0 * float(np.sum(np.log(np.diagonal(tail)[:size])))


@cache
def _routine(library: str, name: str, n_arguments: int) -> Any:
    """A routine of SciPy's BLAS or LAPACK; every argument is an address, as in Fortran."""
    from numba.extending import get_cython_function_address

    address = get_cython_function_address(f"scipy.linalg.cython_{library}", name)
    return CFUNCTYPE(None, *[c_void_p] * n_arguments)(address)

"""Large dense tails by LAPACK: the factor and inverse of the compiled loops, faster from some size on."""

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

FROM = 96  # tail size from which LAPACK's blocked code beats loops, its call and copies included


def bordered_factor(lam: Floats, ints: Ints, floats: Floats) -> tuple[float, Floats, Floats, Floats]:
    """As `factor.factor`, whatever the size of the tail."""
    if ints[at.Q_TAIL] < FROM:
        return factor(lam, ints, floats)
    factors = relative_factors(lam, ints, floats)
    panels = scaled_panels(factors, ints, floats)
    tail = scaled_tail(factors, ints, floats)
    logdet = eliminate_chain(panels, tail, ints, floats)
    if np.isfinite(logdet):
        logdet += _eliminate_tail(tail, int(ints[at.Q_TAIL]))
    return logdet + floats[ints[at.CONSTANTS]], read_moments(tail, ints), panels, tail


def _eliminate_tail(tail: Floats, size: int) -> float:
    from scipy.linalg import cholesky, solve_triangular

    try:
        L = cholesky(tail[:size, :size], lower=True, check_finite=False)
    except np.linalg.LinAlgError:
        return -np.inf
    W = solve_triangular(L, tail[size:, :size].T, lower=True, check_finite=False)
    tail[:size, :size] = L
    tail[size:, :size] = W.T
    tail[size:, size:] -= W.T @ W
    return float(2 * np.sum(np.log(np.diag(L))))


def tail_inverse(tail: Floats, ints: Ints) -> Floats:
    """M⁻¹ of the tail, full symmetric (q_tail, q_tail)."""
    size = int(ints[at.Q_TAIL])
    if size < FROM:
        return inverse_from_cholesky(tail, size)
    from scipy.linalg.lapack import dpotri

    upper, _ = dpotri(tail[:size, :size].T, lower=0)
    full = np.triu(upper)
    return full + np.triu(full, 1).T

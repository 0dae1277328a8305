"""The profiled criterion, −2 (restricted) log-likelihood at the best β and σ for a Λ, with its gradient."""

from math import log

import numpy as np

from bayeslmm.kernel.arrays import Floats
from bayeslmm.kernel.compiled import compiled
from bayeslmm.kernel.copies import put
from bayeslmm.kernel.factor.blocked import factor
from bayeslmm.kernel.factor.dense import sweep
from bayeslmm.kernel.factor.pullback import pullback
from bayeslmm.kernel.problem import layout as at
from bayeslmm.kernel.problem.layout import Problem

LOG_2PI = float(np.log(2 * np.pi))


@compiled
def profile(logdet: float, A: Floats, problem: Problem, reml: bool, sigma: float) -> tuple[float, Floats]:
    """The criterion from (log|V₀|, A), and its derivative with respect to A; that to log|V₀| is 1.

    ML: log|V₀| + n(1 + log(2πr²/n)); REML: log|V₀| + log|A_XX| + (n−p)(1 + log(2πr²/(n−p))) with
    r² = A_yy − A_yX A_XX⁻¹A_Xy (Bates et al. 2015, eq. 34 and 42). With σ known, m log 2πσ² + r²/σ² takes
    the place of m(1 + log(2πr²/m)).

    Parameters
    ----------
    reml : criterion. sigma : known residual sd, or NaN to profile it out.
    """
    ints = problem.ints
    p = ints[at.P]
    m = ints[at.N_ROWS] - (p if reml else 0)
    K = A.copy()
    logdet_A = sweep(K, p)
    r2 = K[p, p]
    if not (np.isfinite(logdet) and np.isfinite(logdet_A) and r2 > 0.0):
        return np.inf, np.zeros((p + 1, p + 1))
    if np.isnan(sigma):
        value = logdet + m * (1.0 + LOG_2PI + log(r2 / m))
        scale = m / r2
    else:
        value = logdet + m * (LOG_2PI + 2.0 * log(sigma)) + r2 / (sigma * sigma)
        scale = 1.0 / (sigma * sigma)
    if reml:
        value += logdet_A + 2.0 * problem.floats[ints[at.CONSTANTS] + 1]
    A_bar = np.empty((p + 1, p + 1))
    for i in range(p):  # swept K is [−A_XX⁻¹, δ̂; δ̂ᵀ, r²]
        for j in range(p):
            A_bar[i, j] = scale * K[p, i] * K[p, j] - (K[i, j] if reml else 0.0)
        A_bar[p, i] = -scale * K[p, i]
        A_bar[i, p] = A_bar[p, i]
    A_bar[p, p] = scale
    return value, A_bar


@compiled
def criterion(lam: Floats, problem: Problem, reml: bool, sigma: float) -> tuple[float, Floats]:
    """The profiled criterion at Λ and its gradient (n_lam,); inf and zeros where Λ is too large."""
    logdet, A, panels, tail = factor(lam, problem)
    value, A_bar = profile(logdet, A, problem, reml, sigma)
    if not np.isfinite(value):
        return np.inf, np.zeros(len(lam))
    return value, pullback(1.0, A_bar, lam, problem, panels, tail)


@compiled
def criteria(lams: Floats, problem: Problem, reml: bool, sigma: float, slopes: bool) -> tuple[Floats, Floats]:
    """`criterion` at each of m Λ (m, n_lam): (m,) and (m, n_lam), zeros where no `slopes` are asked for."""
    values, gradients = np.empty(len(lams)), np.zeros_like(lams)
    for i in range(len(lams)):
        if slopes:
            values[i], gradient = criterion(lams[i], problem, reml, sigma)
            put(gradient, gradients[i])
        else:
            logdet, A, _, _ = factor(lams[i], problem)
            values[i] = profile(logdet, A, problem, reml, sigma)[0]
    return values, gradients

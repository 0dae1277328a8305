"""Log densities with b, or b and β, integrated out; value and gradient in one evaluation, or many values.

Coordinates: R^{-½}X = Q R_X, β = R_X⁻¹(γ + δ); r = R^{-½}y − Qγ, so R^{-½}(y − Xβ) = r − Qδ.
"""

from math import log

import numpy as np

from bayeslmm.kernel.arrays import Floats
from bayeslmm.kernel.compiled import compiled
from bayeslmm.kernel.factor.blocked import factor
from bayeslmm.kernel.factor.dense import sweep
from bayeslmm.kernel.factor.pullback import pullback
from bayeslmm.kernel.problem import layout as at
from bayeslmm.kernel.problem.layout import Problem
from bayeslmm.kernel.values.fixed_effects import fixed_effects_system

LOG_2PI = float(np.log(2 * np.pi))


@compiled
def marginal_at(
    logdet: float, A: Floats, sigma: float, beta: Floats, problem: Problem
) -> tuple[float, Floats, float, Floats]:
    """As `marginal`, given log|V₀| and A: logp, d/dA (p + 1, p + 1), dsigma, dbeta; d/d log|V₀| is −½."""
    ints, floats = problem.ints, problem.floats
    p, n, rx = ints[at.P], ints[at.N_ROWS], ints[at.RX]
    A_bar = np.zeros((p + 1, p + 1))
    if not (np.isfinite(logdet) and sigma > 0.0):
        return -np.inf, A_bar, 0.0, np.zeros(p)
    a = np.empty(p + 1)
    a[p] = 1.0
    for i in range(p):
        a[i] = floats[ints[at.GAMMA] + i]
        for j in range(i, p):
            a[i] -= floats[rx + i * p + j] * beta[j]
    Aa, quadratic = np.zeros(p + 1), 0.0
    for i in range(p + 1):
        for j in range(p + 1):
            Aa[i] += A[i, j] * a[j]
        quadratic += a[i] * Aa[i]
    variance = sigma * sigma
    for i in range(p + 1):
        for j in range(p + 1):
            A_bar[i, j] = -0.5 * a[i] * a[j] / variance
    dbeta = np.zeros(p)
    for j in range(p):
        for i in range(j + 1):
            dbeta[j] += floats[rx + i * p + j] * Aa[i] / variance
    logp = -0.5 * (n * (LOG_2PI + 2.0 * log(sigma)) + logdet + quadratic / variance)
    return logp, A_bar, (quadratic / variance - n) / sigma, dbeta


@compiled
def marginal(
    lam: Floats, sigma: float, beta: Floats, problem: Problem
) -> tuple[float, Floats, float, Floats]:
    """log p(y | β, σ, Λ), b integrated out, and its gradient.

    −½[n log 2πσ² + log|V₀| + (1, −δ)A(1, −δ)ᵀ/σ²] (Bates et al. 2015, eq. 30-34).

    Parameters
    ----------
    lam : (n_lam,) Λ per block, row-major. sigma : residual sd. beta : (p,).

    Returns
    -------
    logp, dlam (n_lam,), dsigma, dbeta (p,). −inf and zeros where Λ is too large to factor.
    """
    logdet, A, panels, tail = factor(lam, problem)
    logp, A_bar, dsigma, dbeta = marginal_at(logdet, A, sigma, beta, problem)
    if not np.isfinite(logp):
        return logp, np.zeros(len(lam)), dsigma, dbeta
    return logp, pullback(-0.5, A_bar, lam, problem, panels, tail), dsigma, dbeta


@compiled
def integrated_at(
    logdet: float, A: Floats, sigma: float, precision: Floats, shift: Floats, problem: Problem
) -> tuple[float, Floats, float]:
    """As `integrated`, given log|V₀| and A: logp, d/dA (p + 1, p + 1), dsigma; d/d log|V₀| is −½."""
    p, n = problem.ints[at.P], problem.ints[at.N_ROWS]
    if not (np.isfinite(logdet) and sigma > 0.0):
        return -np.inf, np.zeros((p + 1, p + 1)), 0.0
    variance = sigma * sigma
    K = fixed_effects_system(A, sigma, precision, shift)
    logdet_K = sweep(K, p)  # K is now [−K⁻¹, m; mᵀ, −cᵀm] with m = K⁻¹c
    if not np.isfinite(logdet_K):
        return -np.inf, K, 0.0
    log_rx = problem.floats[problem.ints[at.CONSTANTS] + 1]
    logp = -0.5 * (n - p) * LOG_2PI - n * log(sigma) - log_rx
    logp -= 0.5 * (logdet + logdet_K + A[p, p] / variance + K[p, p])
    scale = _moments_cotangent(K, A, variance)
    return logp, K, -(n + 2.0 * scale) / sigma


@compiled
def _moments_cotangent(K: Floats, A: Floats, variance: float) -> float:
    """Turn swept K into Ā, the derivative by A of −½(log|K| + A_yy/σ² − cᵀK⁻¹c); returns tr(ĀA)."""
    p = len(K) - 1
    scale = 0.0
    for i in range(p):
        for j in range(p):
            K[i, j] = 0.5 * (K[i, j] - K[p, i] * K[p, j]) / variance
            scale += K[i, j] * A[i, j]
    for i in range(p):
        K[p, i] *= 0.5 / variance
        K[i, p] = K[p, i]
        scale += 2.0 * K[p, i] * A[p, i]
    K[p, p] = -0.5 / variance
    return float(scale + K[p, p] * A[p, p])


@compiled
def integrated(
    lam: Floats, sigma: float, precision: Floats, shift: Floats, problem: Problem
) -> tuple[float, Floats, float]:
    """log ∫ p(y | β, σ, Λ) exp(−½δᵀPδ + sᵀδ) dβ and its gradient; b and β integrated out.

    With P = 0, s = 0 (flat prior) it is the restricted log-likelihood ℓ_R(σ, θ) (Harville 1974). For a
    Gaussian prior of β, P, s and what they lack are `fixed_effects.PriorOfDelta`'s.

    Parameters
    ----------
    lam : (n_lam,) Λ per block, row-major. sigma : residual sd. precision : P (p, p). shift : s (p,).

    Returns
    -------
    logp, dlam (n_lam,), dsigma. −inf and zeros where Λ is too large to factor.
    """
    logdet, A, panels, tail = factor(lam, problem)
    logp, A_bar, dsigma = integrated_at(logdet, A, sigma, precision, shift, problem)
    if not np.isfinite(logp):
        return logp, np.zeros(len(lam)), dsigma
    return logp, pullback(-0.5, A_bar, lam, problem, panels, tail), dsigma


@compiled
def marginal_values(lam: Floats, sigma: Floats, beta: Floats, problem: Problem) -> Floats:
    """log p(y | β, σ, Λ), (m, s), of lam (m, n_lam), beta (m, p) at s σ each, sigma (m, s)."""
    out = np.empty(sigma.shape)
    for i in range(len(sigma)):
        logdet, A, _, _ = factor(lam[i], problem)
        for j in range(sigma.shape[1]):
            out[i, j] = marginal_at(logdet, A, sigma[i, j], beta[i], problem)[0]
    return out


@compiled
def integrated_values(
    lam: Floats, sigma: Floats, precision: Floats, shift: Floats, problem: Problem
) -> Floats:
    """log ∫ p(y | β, σ, Λ) exp(−½δᵀPδ + sᵀδ) dβ, (m, s), of lam (m, n_lam) at s σ each, sigma (m, s)."""
    out = np.empty(sigma.shape)
    for i in range(len(sigma)):
        logdet, A, _, _ = factor(lam[i], problem)
        for j in range(sigma.shape[1]):
            out[i, j] = integrated_at(logdet, A, sigma[i, j], precision, shift, problem)[0]
    return out

"""Log densities with b, or b and β, integrated out; value and gradient in one evaluation, compiled.

Coordinates: √w X = Q R_X, β = R_X⁻¹(γ + δ); r = √w y − Qγ, so √w(y − Xβ) = r − Qδ.
"""

import numpy as np

from bayeslmm.kernel import layout as at
from bayeslmm.kernel.blocks import Floats, Ints
from bayeslmm.kernel.compiled import compiled
from bayeslmm.kernel.dense import cholesky_leading, inverse_from_cholesky
from bayeslmm.kernel.factor import factor
from bayeslmm.kernel.pullback import pullback

LOG_2PI = float(np.log(2 * np.pi))


@compiled
def _rx(ints: Ints, floats: Floats) -> Floats:
    p = ints[at.P]
    return floats[ints[at.RX] : ints[at.RX] + p * p].reshape(p, p)


@compiled
def marginal_at(
    logdet: float, A: Floats, sigma: float, beta: Floats, ints: Ints, floats: Floats
) -> tuple[float, Floats, float, Floats]:
    """As `marginal`, given log|V₀| and A: logp, d/dA (p + 1, p + 1), dsigma, dbeta; d/d log|V₀| is −½."""
    p, n = ints[at.P], ints[at.N_ROWS]
    A_bar = np.zeros((p + 1, p + 1))
    if not (np.isfinite(logdet) and sigma > 0.0):
        return -np.inf, A_bar, 0.0, np.zeros(p)
    rx = _rx(ints, floats)
    a = np.empty(p + 1)
    a[p] = 1.0
    for i in range(p):
        a[i] = floats[ints[at.GAMMA] + i]
        for j in range(i, p):
            a[i] -= rx[i, j] * beta[j]
    Aa = np.zeros(p + 1)
    for i in range(p + 1):
        for j in range(p + 1):
            Aa[i] += A[i, j] * a[j]
    quadratic = np.sum(a * Aa)
    variance = sigma * sigma
    for i in range(p + 1):
        for j in range(p + 1):
            A_bar[i, j] = -0.5 * a[i] * a[j] / variance
    dbeta = np.zeros(p)
    for j in range(p):
        for i in range(j + 1):
            dbeta[j] += rx[i, j] * Aa[i] / variance
    logp = -0.5 * (n * (LOG_2PI + 2.0 * np.log(sigma)) + logdet + quadratic / variance)
    return logp, A_bar, (quadratic / variance - n) / sigma, dbeta


@compiled
def marginal(
    lam: Floats, sigma: float, beta: Floats, ints: Ints, floats: Floats
) -> tuple[float, Floats, float, Floats]:
    """log p(y | β, σ, Λ), b integrated out, and its gradient.

    −½[n log 2πσ² + log|V₀| + (1, −δ)A(1, −δ)ᵀ/σ²] (design 2; Bates et al. 2015, eq. 30-34).

    Parameters
    ----------
    lam : (n_lam,) Λ per block, row-major. sigma : residual sd. beta : (p,). ints, floats : packed problem.

    Returns
    -------
    logp, dlam (n_lam,), dsigma, dbeta (p,). −inf and zeros where Λ is too large to factor.
    """
    logdet, A, panels, tail = factor(lam, ints, floats)
    logp, A_bar, dsigma, dbeta = marginal_at(logdet, A, sigma, beta, ints, floats)
    if not np.isfinite(logp):
        return logp, np.zeros(len(lam)), dsigma, dbeta
    inverse = inverse_from_cholesky(tail, ints[at.Q_TAIL])
    return logp, pullback(-0.5, A_bar, lam, ints, floats, panels, tail, inverse), dsigma, dbeta


@compiled
def _to_delta(precision: Floats, shift: Floats, ints: Ints, floats: Floats) -> tuple[Floats, Floats, float]:
    """A Gaussian prior of β (S⁻¹, S⁻¹m) as one of δ = R_Xβ − γ: precision, shift, and its constant."""
    p = ints[at.P]
    rx = _rx(ints, floats)
    gamma = floats[ints[at.GAMMA] : ints[at.GAMMA] + p]
    left = _solve_rt(rx, precision)
    out = _solve_rt(rx, np.ascontiguousarray(left.T))
    moved = _solve_rt(rx, shift.reshape(p, 1))[:, 0]
    along = np.zeros(p)
    for i in range(p):
        for j in range(p):
            along[i] += out[i, j] * gamma[j]
    return out, moved - along, 0.5 * np.sum(gamma * along) - np.sum(gamma * moved)


@compiled
def _solve_rt(rx: Floats, right: Floats) -> Floats:
    """R_X⁻ᵀ times a matrix."""
    out = right.copy()
    for i in range(rx.shape[0]):
        for c in range(right.shape[1]):
            for m in range(i):
                out[i, c] -= rx[m, i] * out[m, c]
            out[i, c] /= rx[i, i]
    return out


@compiled
def integrated_at(
    logdet: float, A: Floats, sigma: float, precision: Floats, shift: Floats, ints: Ints, floats: Floats
) -> tuple[float, Floats, float]:
    """As `integrated`, given log|V₀| and A: logp, d/dA (p + 1, p + 1), dsigma; d/d log|V₀| is −½."""
    p, n = ints[at.P], ints[at.N_ROWS]
    A_bar = np.zeros((p + 1, p + 1))
    if not (np.isfinite(logdet) and sigma > 0.0):
        return -np.inf, A_bar, 0.0
    variance = sigma * sigma
    prior, moved, constant = _to_delta(precision, shift, ints, floats)
    K = np.empty((p + 1, p + 1))
    for i in range(p):
        for j in range(p):
            K[i, j] = A[i, j] / variance + prior[i, j]
        K[p, i] = A[p, i] / variance + moved[i]
        K[i, p] = K[p, i]
    K[p, p] = 0.0
    logdet_K = cholesky_leading(K, p)
    if not np.isfinite(logdet_K):
        return -np.inf, A_bar, 0.0
    fitted = -K[p, p]
    inverse = inverse_from_cholesky(K, p)
    mean = np.zeros(p + 1)
    mean[p] = -1.0
    for i in range(p):
        for j in range(p):
            mean[i] += inverse[i, j] * (A[p, j] / variance + moved[j])
    # d/dA of −½[log|K| + A_yy/σ² − cᵀK⁻¹c]
    scale = 0.0
    for i in range(p + 1):
        for j in range(p + 1):
            A_bar[i, j] = -0.5 * mean[i] * mean[j] / variance
            if i < p and j < p:
                A_bar[i, j] -= 0.5 * inverse[i, j] / variance
            scale += A_bar[i, j] * A[i, j]
    log_rx = floats[ints[at.CONSTANTS] + 1]
    logp = -0.5 * (n - p) * LOG_2PI - n * np.log(sigma) - log_rx - constant
    logp -= 0.5 * (logdet + logdet_K + A[p, p] / variance - fitted)
    return logp, A_bar, -(n + 2.0 * scale) / sigma


@compiled
def integrated(
    lam: Floats, sigma: float, precision: Floats, shift: Floats, ints: Ints, floats: Floats
) -> tuple[float, Floats, float]:
    """log ∫ p(y | β, σ, Λ) exp(−½βᵀPβ + sᵀβ) dβ and its gradient; b and β integrated out.

    With P = 0, s = 0 (flat prior) it is the restricted log-likelihood ℓ_R(σ, θ) (Harville 1974). For a
    Gaussian prior N(m, S), P = S⁻¹, s = S⁻¹m, add −½(p log 2π + log|S| + mᵀS⁻¹m).

    Parameters
    ----------
    lam : (n_lam,) Λ per block, row-major. sigma : residual sd. precision : (p, p). shift : (p,).

    Returns
    -------
    logp, dlam (n_lam,), dsigma. −inf and zeros where Λ is too large to factor.
    """
    logdet, A, panels, tail = factor(lam, ints, floats)
    logp, A_bar, dsigma = integrated_at(logdet, A, sigma, precision, shift, ints, floats)
    if not np.isfinite(logp):
        return logp, np.zeros(len(lam)), dsigma
    inverse = inverse_from_cholesky(tail, ints[at.Q_TAIL])
    return logp, pullback(-0.5, A_bar, lam, ints, floats, panels, tail, inverse), dsigma

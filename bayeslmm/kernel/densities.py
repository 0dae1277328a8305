"""Log densities at many points, and of any tail: small ones in one compiled loop, large ones by LAPACK."""

import numpy as np

from bayeslmm.kernel import layout as at
from bayeslmm.kernel.blocks import Floats, Ints
from bayeslmm.kernel.compiled import compiled
from bayeslmm.kernel.density import integrated, integrated_at, marginal, marginal_at
from bayeslmm.kernel.factor import factor
from bayeslmm.kernel.lapack import FROM, bordered_factor, tail_inverse
from bayeslmm.kernel.pullback import pullback


@compiled
def _marginal_values(lam: Floats, sigma: Floats, beta: Floats, ints: Ints, floats: Floats) -> Floats:
    out = np.empty(len(sigma))
    for i in range(len(sigma)):
        logdet, A, _, _ = factor(lam[i], ints, floats)
        out[i] = marginal_at(logdet, A, sigma[i], beta[i], ints, floats)[0]
    return out


@compiled
def _integrated_values(
    lam: Floats, sigma: Floats, precision: Floats, shift: Floats, ints: Ints, floats: Floats
) -> Floats:
    out = np.empty(len(sigma))
    for i in range(len(sigma)):
        logdet, A, _, _ = factor(lam[i], ints, floats)
        out[i] = integrated_at(logdet, A, sigma[i], precision, shift, ints, floats)[0]
    return out


def marginal_values(lam: Floats, sigma: Floats, beta: Floats, ints: Ints, floats: Floats) -> Floats:
    """log p(y | β, σ, Λ), (m,), of lam (m, n_lam), sigma (m,), beta (m, p)."""
    if ints[at.Q_TAIL] < FROM:
        return _marginal_values(lam, sigma, beta, ints, floats)
    out = np.empty(len(sigma))
    for i in range(len(sigma)):
        logdet, A, _, _ = bordered_factor(lam[i], ints, floats)
        out[i] = marginal_at(logdet, A, sigma[i], beta[i], ints, floats)[0]
    return out


def integrated_values(
    lam: Floats, sigma: Floats, precision: Floats, shift: Floats, ints: Ints, floats: Floats
) -> Floats:
    """log ∫ p(y | β, σ, Λ) exp(−½δᵀPδ + sᵀδ) dβ, (m,), of lam (m, n_lam), sigma (m,)."""
    if ints[at.Q_TAIL] < FROM:
        return _integrated_values(lam, sigma, precision, shift, ints, floats)
    out = np.empty(len(sigma))
    for i in range(len(sigma)):
        logdet, A, _, _ = bordered_factor(lam[i], ints, floats)
        out[i] = integrated_at(logdet, A, sigma[i], precision, shift, ints, floats)[0]
    return out


def marginal_density(
    lam: Floats, sigma: float, beta: Floats, ints: Ints, floats: Floats
) -> tuple[float, Floats, float, Floats]:
    """As `density.marginal`, whatever the size of the tail."""
    if ints[at.Q_TAIL] < FROM:
        return marginal(lam, sigma, beta, ints, floats)
    logdet, A, panels, tail = bordered_factor(lam, ints, floats)
    logp, A_bar, dsigma, dbeta = marginal_at(logdet, A, sigma, beta, ints, floats)
    return logp, _by_lam(logp, A_bar, lam, ints, floats, panels, tail), dsigma, dbeta


def integrated_density(
    lam: Floats, sigma: float, precision: Floats, shift: Floats, ints: Ints, floats: Floats
) -> tuple[float, Floats, float]:
    """As `density.integrated`, whatever the size of the tail."""
    if ints[at.Q_TAIL] < FROM:
        return integrated(lam, sigma, precision, shift, ints, floats)
    logdet, A, panels, tail = bordered_factor(lam, ints, floats)
    logp, A_bar, dsigma = integrated_at(logdet, A, sigma, precision, shift, ints, floats)
    return logp, _by_lam(logp, A_bar, lam, ints, floats, panels, tail), dsigma


def _by_lam(
    logp: float, A_bar: Floats, lam: Floats, ints: Ints, floats: Floats, panels: Floats, tail: Floats
) -> Floats:
    """The derivative by Λ; 0 where the density is."""
    if not np.isfinite(logp):
        return np.zeros(len(lam))
    return pullback(-0.5, A_bar, lam, ints, floats, panels, tail, tail_inverse(tail, ints))

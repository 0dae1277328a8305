"""Log densities at many points, in one compiled loop that leaves the interpreter free."""

import numpy as np

from bayeslmm.kernel.blocks import Floats, Ints
from bayeslmm.kernel.compiled import compiled
from bayeslmm.kernel.density import integrated, marginal


@compiled
def marginal_values(lam: Floats, sigma: Floats, beta: Floats, ints: Ints, floats: Floats) -> Floats:
    """log p(y | β, σ, Λ), (m,), of lam (m, n_lam), sigma (m,), beta (m, p)."""
    out = np.empty(len(sigma))
    for i in range(len(sigma)):
        out[i] = marginal(lam[i], sigma[i], beta[i], ints, floats)[0]
    return out


@compiled
def integrated_values(
    lam: Floats, sigma: Floats, precision: Floats, shift: Floats, ints: Ints, floats: Floats
) -> Floats:
    """log ∫ p(y | β, σ, Λ) exp(−½βᵀPβ + sᵀβ) dβ, (m,), of lam (m, n_lam), sigma (m,)."""
    out = np.empty(len(sigma))
    for i in range(len(sigma)):
        out[i] = integrated(lam[i], sigma[i], precision, shift, ints, floats)[0]
    return out

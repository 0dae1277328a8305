"""How Var(β̂) moves with θ: analytic, from U = ZᵀV₀⁻¹Q alone."""

import numpy as np
from numpy.typing import NDArray

from bayeslmm.likelihood.digits import left_over, seen_by_effects
from bayeslmm.likelihood.fitted import Fitted
from bayeslmm.spec.units import Units

type Array = NDArray[np.float64]


def moment_slopes(fit: Fitted, units: Units) -> Array:
    """∂A_XX/∂ξ (n_theta, p, p) = −Σ_j U_jᵀ (∂T/∂ξ) U_j, A_XX = QᵀV₀⁻¹Q, all in the units of θ̂."""
    design, covariance = fit.design, fit.design.covariance
    jacobian = units.basis.T @ covariance.jacobian(fit.theta_values)
    slopes = np.zeros((covariance.n_theta, design.p, design.p))
    blocks = zip(_level_products(fit), units.roots, units.factors, covariance.offsets, strict=True)
    for products, root, factor, first in blocks:
        moves = jacobian[:, first : first + factor.size].reshape(-1, *factor.shape)
        half = np.linalg.solve(root, moves) @ factor.T
        slopes -= np.einsum("tab,abij->tij", half + half.transpose(0, 2, 1), products)
    return slopes


def _level_products(fit: Fitted) -> list[Array]:
    """Σ_j U_ja U_jbᵀ of each block, (k, k, p, p), in the units of θ̂."""
    left = left_over(fit.design, fit.design.orthonormal_columns, fit.conditional)
    seen = seen_by_effects(fit.design, fit.conditional, left)
    return [np.einsum("jai,jbk->abik", U, U, optimize=True) for U in seen]


def covariance_slopes(fit: Fitted, units: Units) -> Array:
    """∂Var(δ̂)/∂(ξ, log σ), (n_theta + 1, p, p); Var(δ̂) = σ²A_XX⁻¹, β = R_X⁻¹δ + a constant."""
    Phi = fit.solved.inverse
    slopes = -(fit.sigma**2) * Phi @ moment_slopes(fit, units) @ Phi
    return np.concatenate([slopes, 2 * fit.sigma**2 * Phi[None]])

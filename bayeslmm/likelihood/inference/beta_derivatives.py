"""How Var(β̂) moves with θ: analytic, from U = ZᵀV₀⁻¹Q alone."""

import numpy as np
from numpy.typing import NDArray

from bayeslmm.likelihood.fitted import Fitted
from bayeslmm.likelihood.inference.components import orthonormal_columns
from bayeslmm.spec.units import Units

type Array = NDArray[np.float64]


def moment_slopes(fit: Fitted, units: Units) -> Array:
    """∂A_XX/∂ξ (n_theta, p, p) = −Σ_j U_jᵀ (∂T/∂ξ) U_j, A_XX = QᵀV₀⁻¹Q, all in the units of θ̂."""
    design, covariance = fit.design, fit.design.covariance
    jacobian = units.basis.T @ covariance.jacobian(fit.theta_values)
    slopes = np.zeros((covariance.n_theta, design.p, design.p))
    blocks = zip(_level_products(fit, units), units.roots, units.factors, covariance.offsets, strict=True)
    for products, root, factor, first in blocks:
        moves = jacobian[:, first : first + factor.size].reshape(-1, *factor.shape)
        half = np.linalg.solve(root, moves) @ factor.T
        slopes -= np.einsum("tab,abij->tij", half + half.transpose(0, 2, 1), products)
    return slopes


def _level_products(fit: Fitted, units: Units) -> list[Array]:
    """Σ_j U_ja U_jbᵀ of each block, (k, k, p, p)."""
    return [np.einsum("jai,jbk->abik", U, U, optimize=True) for U in _solved_columns(fit, units)]


def _solved_columns(fit: Fitted, units: Units) -> list[Array]:
    """U = ZᵀR⁻¹(Q − Zb_Q) by block, (J, k, p), Zᵀ that of effects independent between levels."""
    design = fit.design
    whiten = design.residual.whiten
    rest = orthonormal_columns(design) - whiten(design.Z) @ fit.conditional.b_Q
    U = whiten(units.columns(design.independent_Z, [block.n_levels for block in design.blocks])).T @ rest
    parts = np.split(U, np.cumsum([block.q for block in design.blocks])[:-1]) if design.blocks else []
    return [
        part.reshape(block.n_levels, block.k, design.p)
        for part, block in zip(parts, design.blocks, strict=True)
    ]


def covariance_slopes(fit: Fitted, units: Units) -> Array:
    """∂Var(δ̂)/∂(ξ, log σ), (n_theta + 1, p, p); Var(δ̂) = σ²A_XX⁻¹, β = R_X⁻¹δ + a constant."""
    Phi = fit.solved.inverse
    slopes = -(fit.sigma**2) * Phi @ moment_slopes(fit, units) @ Phi
    return np.concatenate([slopes, 2 * fit.sigma**2 * Phi[None]])

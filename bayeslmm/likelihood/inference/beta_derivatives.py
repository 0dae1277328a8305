"""How Var(β̂) moves with θ: analytic, from U = ZᵀV₀⁻¹Q alone."""

import numpy as np
from numpy.typing import NDArray

from bayeslmm.likelihood.fitted import Fitted
from bayeslmm.likelihood.inference.components import orthonormal_columns

type Array = NDArray[np.float64]


def moment_slopes(fit: Fitted) -> Array:
    """∂A_XX/∂θ (n_theta, p, p) = −Σ_j U_jᵀ (∂T/∂θ) U_j, A_XX = QᵀV₀⁻¹Q."""
    design, covariance = fit.design, fit.design.covariance
    jacobian = covariance.jacobian(fit.theta_values)
    slopes = np.zeros((covariance.n_theta, design.p, design.p))
    shares = zip(_level_products(fit), covariance.factors(fit.theta_values), covariance.offsets, strict=True)
    for products, factor, first in shares:
        moves = jacobian[:, first : first + factor.size].reshape(-1, *factor.shape)
        half = moves @ factor.T
        slopes -= np.einsum("tab,abij->tij", half + half.transpose(0, 2, 1), products)
    return slopes


def _level_products(fit: Fitted) -> list[Array]:
    """Σ_j U_ja U_jbᵀ of each block, (k, k, p, p)."""
    return [np.einsum("jai,jbk->abik", U, U, optimize=True) for U in _solved_columns(fit)]


def _solved_columns(fit: Fitted) -> list[Array]:
    """U = ZᵀR⁻¹(Q − Zb_Q) by block, (J, k, p), Zᵀ that of effects independent between levels."""
    design = fit.design
    whiten = design.residual.whiten
    rest = orthonormal_columns(design) - whiten(design.Z) @ fit.conditional.b_Q
    U = whiten(design.independent_Z).T @ rest
    parts = np.split(U, np.cumsum([block.q for block in design.blocks])[:-1]) if design.blocks else []
    return [
        part.reshape(block.n_levels, block.k, design.p)
        for part, block in zip(parts, design.blocks, strict=True)
    ]


def vcov_slopes(fit: Fitted) -> Array:
    """∂Var(β̂)/∂(θ, log σ), (n_theta + 1, p, p); Var(β̂) = σ²R_X⁻¹A_XX⁻¹R_X⁻ᵀ."""
    root = np.linalg.solve(fit.design.kernel.R_X, fit.solved.inverse)
    slopes = -(fit.sigma**2) * root @ moment_slopes(fit) @ root.T
    return np.concatenate([slopes, 2 * fit.vcov_values[None]])

"""How Var(β̂) moves with θ, analytic, from U = ZᵀV₀⁻¹Q alone; and with φ, from V₀⁻¹X."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from bayeslmm.likelihood.curvature import STEP
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


def residual_slopes(fit: Fitted) -> Array:
    """∂A_XX/∂φ (n_phi, p, p) = −Wᵀ(∂R/∂φ)W, W = V₀⁻¹X in the kernel's coordinates, by differences of WᵀR(φ)W.

    Their error is of the fourth power of the step.
    """
    residual, p = fit.design.residual, fit.design.p
    if not residual.n_phi:
        return np.zeros((0, p, p))
    left = left_over(fit.design, fit.design.orthonormal_columns, fit.conditional)
    W, phi = residual.transposed(left), residual.settled_phi

    def moments(phi: Array) -> Array:
        root = residual.untransposed(W, phi)
        return root.T @ root

    return -np.array([difference(moments, phi, step) for step in STEP * np.eye(len(phi))])


def difference(function: Callable[[Array], Array], at: Array, step: Array) -> Array:
    """Derivative along a step, over its length, by central differences of fourth order."""
    near, far = (function(at + m * step) - function(at - m * step) for m in (1, 2))
    return np.asarray((8 * near - far) / (12 * np.linalg.norm(step)))


def covariance_slopes(fit: Fitted, units: Units) -> Array:
    """∂Var(δ̂)/∂(ξ, φ, log σ), (n + 1, p, p); Var(δ̂) = σ²A_XX⁻¹, β = R_X⁻¹δ + a constant."""
    Phi = fit.solved.inverse
    moments = np.concatenate([moment_slopes(fit, units), residual_slopes(fit)])
    slopes = -(fit.sigma**2) * Phi @ moments @ Phi
    return np.concatenate([slopes, 2 * fit.sigma**2 * Phi[None]])

"""New responses from a fitted model."""

import numpy as np
from numpy.typing import NDArray

from bayeslmm.likelihood.fitted import Fitted
from bayeslmm.spec.design import Design

type Array = NDArray[np.float64]


def spherical_to_effects(design: Design, theta: Array, u: Array) -> Array:
    """b = Λu, or (L ⊗ Λ)u, (..., q) to (..., q), in the order of Z's columns."""
    parts, first = [], 0
    for block, factor in zip(design.blocks, design.covariance.factors(theta), strict=True):
        own = u[..., first : first + block.q].reshape(*u.shape[:-1], block.n_levels, block.k)
        effects = own @ factor.T if block.known is None else block.known @ own @ factor.T
        parts.append(effects.reshape(*u.shape[:-1], block.q))
        first += block.q
    return np.concatenate(parts, axis=-1) if parts else np.zeros(u.shape)


def simulate(fit: Fitted, n: int, generator: np.random.Generator) -> Array:
    """(rows, n) responses Xβ̂ + offset + Zb* + e*, b* ~ N(0, σ̂²ΛΛᵀ), e* ~ N(0, σ̂²R)."""
    design = fit.design
    mean = design.X @ fit.beta_values + design.offset
    b = spherical_to_effects(design, fit.theta_values, fit.sigma * generator.standard_normal((n, design.q)))
    noise = fit.sigma * design.residual.draw(generator, n)
    return np.asarray(mean[:, None] + design.Z @ b.T + noise.T)

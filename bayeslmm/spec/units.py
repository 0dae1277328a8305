"""Coordinates at one θ that forget in which unit, and from which origin, the columns of Z are counted.

A bar's effects b spread by G⁻¹ + T in units of σ: G⁻¹, G the mean of z zᵀ over rows, is what the residual
could pass for, T what they have. With S a lower factor of it and b = S b̃, zᵀb = (Sᵀz)ᵀb̃: the columns Sᵀz are
the same for x, bx and a + x up to a rotation, and T̃ = S⁻¹TS⁻ᵀ has eigenvalues in [0, 1) however small σ is.
Steps of θ are measured by what they do to S⁻¹Λ. Whatever is inverted, truncated or differentiated by
differences is so in these coordinates.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from bayeslmm.spec.covariance.algebra import lower_factor
from bayeslmm.spec.relative import CovarianceMap
from bayeslmm.spec.term_slot import TermSlot

if TYPE_CHECKING:
    from scipy.sparse import csr_array


type Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Units:
    """The coordinates at one θ.

    Attributes
    ----------
    roots : S (k, k) of each block, block-diagonal by bar. factors : (k, k) S⁻¹Λ of each block.
    basis : (n_theta, n_theta) dθ/dξ: a step of length 1 in ξ is one of size 1 in S⁻¹Λ.
    """

    roots: tuple[Array, ...]
    factors: tuple[Array, ...]
    basis: Array

    @classmethod
    def at(cls, covariance: CovarianceMap, theta: Array) -> "Units":
        """The coordinates of a covariance map at θ."""
        factors = covariance.factors(theta)
        roots = spread_roots(covariance, factors)
        relative = tuple(np.linalg.solve(S, factor) for S, factor in zip(roots, factors, strict=True))
        return cls(roots, relative, basis_at(covariance, theta))

    def columns(self, Z: "csr_array", n_levels: Sequence[int]) -> "csr_array":
        """Z (n, q) in these coordinates, sparse."""
        from scipy.sparse import block_diag, csr_array, eye_array, kron

        if not self.roots:
            return Z
        parts = [kron(eye_array(J), S) for J, S in zip(n_levels, self.roots, strict=True)]
        return csr_array(Z @ csr_array(block_diag(parts)))


def spread_roots(covariance: CovarianceMap, factors: Sequence[Array]) -> tuple[Array, ...]:
    """S (k, k) of each block, block-diagonal by bar, of the blocks' Λ."""
    roots = tuple(np.zeros_like(factor) for factor in factors)
    for slot in covariance.slots:
        own = slot.coefs
        roots[slot.block][own, own] = spread_root(slot, factors[slot.block][own, own])
    return roots


def spread_root(slot: TermSlot, factor: Array) -> Array:
    """Lower-triangular S (k, k) with SSᵀ = G⁻¹ + ΛΛᵀ of one bar."""
    none, k = slot.root, len(factor)
    if k == 1:
        return np.hypot(none, factor)
    wide = np.hstack([np.eye(k), np.linalg.solve(none, factor)])
    return np.asarray(none @ np.linalg.qr(wide.T, mode="r").T)


def off_boundary(covariance: CovarianceMap, theta: Array) -> Array:
    """θ moved off every boundary by a fraction of the usual start: T + 0.1 T_start."""
    out = theta.copy()
    for slot in covariance.slots:
        structure = slot.structure
        away = structure.factor(slot.start) * np.sqrt(0.1)
        both = np.hstack([structure.factor(theta[slot.theta]), away])
        out[slot.theta] = structure.parameters(lower_factor(both))
    return out


def basis_at(covariance: CovarianceMap, theta: Array) -> Array:
    """dθ/dξ at θ, (n_theta, n_theta)."""
    basis = np.zeros((covariance.n_theta, covariance.n_theta))
    for slot in covariance.slots:
        root = spread_root(slot, slot.structure.factor(theta[slot.theta]))
        basis[slot.theta, slot.theta] = slot.structure.steps(root)
    return basis

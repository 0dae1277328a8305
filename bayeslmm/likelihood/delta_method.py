"""Standard errors of sd, cor and σ from the exact Hessian of the profiled criterion, by the delta method."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from bayeslmm.likelihood.criterion import Criterion
from bayeslmm.likelihood.curvature import hessian, inverse_root
from bayeslmm.spec.relative import CovarianceMap

type Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class ThetaSigma:
    """Asymptotic covariance of (x, log σ), x = (θ, φ).

    Twice the inverse of the Hessian of −2ℓ(x, log σ), written with the profiled criterion's H:
    Var(x) = 2H⁻¹, log σ̂(x) = ½ log(r²(x)/m) with slope s = ½ ∂r²/r², Var(log σ) = 1/(2m) + sᵀVar(x)s and
    Cov(x, log σ) = Var(x)s. With σ known only Var(x) remains.

    Attributes
    ----------
    basis : (n, n) dx/dξ, ξ being x in units of its optimum.
    root : (n + 1, r + 1) F, the covariance of (ξ, log σ) being FFᵀ.
    """

    basis: Array
    root: Array

    @cached_property
    def x_root(self) -> Array:
        """(n + 1, r + 1) the same of (x, log σ)."""
        return np.vstack([self.basis @ self.root[:-1], self.root[-1:]])

    @property
    def joint(self) -> Array:
        """(n + 1, n + 1) covariance of (x, log σ)."""
        return self.x_root @ self.x_root.T


def theta_sigma(objective: Criterion, x: Array, delta: Array, r2: float) -> ThetaSigma:
    """The asymptotic covariance of (x, log σ); directions the data don't identify count as fixed.

    Parameters
    ----------
    x : (θ, φ) at the optimum. delta : (p,) β̂ in the kernel's coordinates.
    r2 : penalized residual sum of squares.
    """
    kernel, coordinates = objective.kernel, objective.coordinates
    basis = coordinates.basis(x)
    root = np.sqrt(2.0) * inverse_root(hessian(objective, x, basis))
    if not coordinates.residual.sigma_free:
        return ThetaSigma(basis, np.pad(root, ((0, 1), (0, 1))))
    a = np.append(-delta, 1.0)
    slope = 0.5 * basis.T @ objective.of_moments(x, np.outer(a, a)) / r2  # r² = aᵀAa at the best δ
    free = np.array([[np.sqrt(0.5 / (kernel.n - kernel.p * objective.reml))]])
    return ThetaSigma(basis, np.block([[root, np.zeros((len(x), 1))], [(slope @ root)[None], free]]))


@dataclass(frozen=True, slots=True, eq=False)
class NaturalErrors:
    """Standard errors by group, NaN on the boundary: sd (n_sd,), cor (n_pairs,), sigma."""

    sd: dict[str, Array]
    cor: dict[str, Array]
    sigma: float


def natural_errors(covariance: CovarianceMap, theta: Array, sigma: float, root: Array) -> NaturalErrors:
    """Standard errors of the absolute sd and cor, and of σ.

    With rows r_i of Λ: sd_i = σ|r_i| and cor_ij = r_iᵀr_j/(|r_i||r_j|).

    Parameters
    ----------
    root : (n_theta + 1, r) F, the covariance of (θ, log σ) being FFᵀ.
    """
    slopes = covariance.jacobian(theta)
    sd, cor = {}, {}
    for number, (group, factor) in enumerate(zip(covariance.groups, covariance.factors(theta), strict=True)):
        first, k = covariance.offsets[number], len(factor)
        moves = slopes[:, first : first + k * k].reshape(-1, k, k)
        length = np.sqrt(np.sum(factor**2, axis=1))
        with np.errstate(invalid="ignore", divide="ignore"):
            unit = factor / length[:, None]
            stretch = np.einsum("ij,pij->ip", unit, moves)
            log_slopes = np.column_stack([stretch / length[:, None], np.ones(k)])
            free = list(covariance.block_sds(number))
            sd[group] = (sigma * length * _errors(log_slopes, root))[free]
            slopes_of_cor = _cor_slopes(unit, moves, length, covariance, number)
            cor[group] = _errors(slopes_of_cor, root)
    return NaturalErrors(sd, cor, float(sigma * np.linalg.norm(root[-1])))


def _cor_slopes(unit: Array, moves: Array, length: Array, covariance: CovarianceMap, number: int) -> Array:
    """Gradient of the correlations in (θ, log σ); NaN at the ends of their ranges, one-sided there."""
    pairs = covariance.block_pairs(number)
    out = np.zeros((len(pairs), len(moves) + 1))
    turn = (moves - np.einsum("ij,pij->pi", unit, moves)[:, :, None] * unit) / length[:, None]
    for row, ((i, j), bounds) in enumerate(zip(pairs, covariance.cor_bounds(number), strict=True)):
        out[row, :-1] = turn[:, i] @ unit[j] + turn[:, j] @ unit[i]
        if np.min(np.abs(bounds - unit[i] @ unit[j])) < 1e-12:
            out[row] = np.nan
    return out


def _errors(slopes: Array, root: Array) -> Array:
    return np.asarray(np.linalg.norm(slopes @ root, axis=1))

"""Standard errors of sd, cor and σ from the exact Hessian of the profiled criterion, by the delta method."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from bayeslmm.likelihood.optimum import Criterion
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
    x : (n, n) Var(x̂). slope : (n,) ∂ log σ̂/∂x. free : 1/(2m), or 0 where σ is known.
    """

    x: Array
    slope: Array
    free: float

    @cached_property
    def joint(self) -> Array:
        """(n + 1, n + 1) covariance of (x, log σ)."""
        cross = self.x @ self.slope
        corner = self.free + self.slope @ cross
        return np.block([[self.x, cross[:, None]], [cross[None, :], np.array([[corner]])]])


def theta_sigma(objective: Criterion, x: Array, delta: Array, r2: float) -> ThetaSigma:
    """The asymptotic covariance of (x, log σ); directions the data don't identify count as fixed.

    Parameters
    ----------
    x : (θ, φ) at the optimum. delta : (p,) β̂ in the kernel's coordinates.
    r2 : penalized residual sum of squares.
    """
    kernel, coordinates = objective.kernel, objective.coordinates
    variance = 2 * scaled_inverse(objective.hessian(x), objective.scale)
    if not coordinates.residual.sigma_free:
        return ThetaSigma(variance, np.zeros(len(x)), 0.0)
    a = np.append(-delta, 1.0)
    r2_lam = kernel.pullback(coordinates.flat(x), 0.0, np.outer(a, a))  # r² = aᵀAa at the best δ
    slope = 0.5 * coordinates.pull(x, r2_lam) / r2
    return ThetaSigma(variance, slope, 0.5 / (kernel.n - kernel.p * objective.reml))


def scaled_inverse(hessian: Array, scale: Array) -> Array:
    """Inverse on the directions whose curvature, in units of `scale`, isn't lost against the largest."""
    if not len(scale):
        return np.zeros((0, 0))
    values, vectors = np.linalg.eigh(hessian * np.outer(scale, scale))
    kept = values > 1e-7 * max(values[-1], 0.0)
    root = scale[:, None] * vectors[:, kept] / np.sqrt(values[kept])
    inverse: Array = root @ root.T
    return inverse


@dataclass(frozen=True, slots=True, eq=False)
class NaturalErrors:
    """Standard errors by group, NaN on the boundary: sd (n_sd,), cor (n_pairs,), sigma."""

    sd: dict[str, Array]
    cor: dict[str, Array]
    sigma: float


def natural_errors(covariance: CovarianceMap, theta: Array, sigma: float, joint: Array) -> NaturalErrors:
    """Standard errors of the absolute sd and cor, and of σ.

    With rows r_i of Λ: sd_i = σ|r_i| and cor_ij = r_iᵀr_j/(|r_i||r_j|).

    Parameters
    ----------
    joint : (n_theta + 1, n_theta + 1) covariance of (θ, log σ).
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
            sd[group] = (sigma * length * _errors(log_slopes, joint))[free]
            slopes_of_cor = _cor_slopes(unit, moves, length, covariance, number)
            cor[group] = _errors(slopes_of_cor, joint)
    return NaturalErrors(sd, cor, float(sigma * np.sqrt(joint[-1, -1])))


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


def _errors(slopes: Array, joint: Array) -> Array:
    return np.asarray(np.sqrt(np.einsum("ip,pq,iq->i", slopes, joint, slopes)))

"""Estimates without each unit: θ̂ by a Newton step from the fit's, or by a search where that is too rough."""

import warnings
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from bayeslmm.errors import BayesLMMWarning
from bayeslmm.likelihood.bootstrap.engine import Source
from bayeslmm.likelihood.bootstrap.whole_fits import NO_FIT, is_told, refit
from bayeslmm.likelihood.curvature import inverse_root
from bayeslmm.likelihood.diagnostics.deletion import Deletion, delete
from bayeslmm.likelihood.diagnostics.reach import seen_by_levels
from bayeslmm.likelihood.digits import left_over, unflattened
from bayeslmm.likelihood.fitted import Fitted
from bayeslmm.spec.row_sets import RowSets
from bayeslmm.spec.subset import without

type Array = NDArray[np.float64]
type Mask = NDArray[np.bool_]

PRECISION = 1e-3  # of θ̂, in its standard errors, that a Newton step is trusted to reach
LARGE = 1000  # rows of a unit, beyond which the others are fitted in less time
DOWNHILL = -1e-6  # slope in T along what vanished, times T's own, below which a boundary is left


@dataclass(frozen=True, slots=True, eq=False)
class Without:
    """Estimates without each of J units; NaN where there are none.

    Attributes
    ----------
    units : what is left out. x : (J, n_x) θ̂ and φ̂. sigma : (J,). beta : (J, p).
    vcov : (J, p, p) of β̂. searched : (J,) by a search, not by a step.
    """

    units: RowSets
    x: Array
    sigma: Array
    beta: Array
    vcov: Array
    searched: Mask


def without_each(fit: Fitted, units: RowSets, search: bool) -> Without:
    """The estimates without each unit.

    A Newton step's error is of second order, about |step|²/√J + |step|/J standard errors; where that is more
    than `PRECISION`, or a variance that vanished comes back, the other rows are searched from there.

    Parameters
    ----------
    search : False to leave it at the steps; at the fit's θ and φ where R joins rows or has parameters, or a
        unit is large.
    """
    residual = fit.design.residual
    if residual.groups is None and not residual.n_phi and units.sizes.max(initial=0) <= LARGE:
        found, doubtful = _stepped(fit, delete(fit, units))
        doubtful &= search
    else:
        found, doubtful = _as_the_fit(fit, units), np.ones(len(units), dtype=bool)
    for unit in np.flatnonzero(doubtful & (units.sizes > 0)).tolist():
        _refit(fit, found, unit, search)
    return found


def _as_the_fit(fit: Fitted, units: RowSets) -> Without:
    J = len(units)
    x, beta, vcov = fit.optimum.x, fit.beta_values, fit.vcov_values
    sigma, searched = np.full(J, fit.sigma), np.zeros(J, dtype=bool)
    return Without(
        units, np.tile(x, (J, 1)), sigma, np.tile(beta, (J, 1)), np.tile(vcov, (J, 1, 1)), searched
    )


def _stepped(fit: Fitted, deletion: Deletion) -> tuple[Without, Mask]:
    """By one Newton step each, and whether that may be too rough."""
    design, units = fit.design, deletion.units
    root = _root(fit)
    slope = _by_x(fit, deletion) @ root * (0.5 * design.n / deletion.n)[:, None]  # H grows with n
    step = -slope @ root.T
    by_delta, by_log_sigma = _moves(fit)
    delta = deletion.delta + step @ by_delta
    sigma = _sigma(fit, deletion) * np.exp(step @ by_log_sigma)
    back = np.linalg.inv(design.kernel.R_X)
    vcov = sigma[:, None, None] ** 2 * (back @ deletion.inverse @ back.T)
    x = fit.optimum.x + np.where(np.isnan(delta).any(axis=1)[:, None], np.nan, step)
    found = Without(units, x, sigma, design.kernel.to_beta(delta), vcov, np.zeros(len(units), dtype=bool))
    size = np.linalg.norm(slope, axis=1)
    rough = size**2 / np.sqrt(len(units)) + size / len(units)
    return found, (rough > PRECISION) | _come_back(fit, deletion)


def _root(fit: Fitted) -> Array:
    """F (n_x, r) with FFᵀ = 2H⁻¹; of the average information where H is dear."""
    information = fit.objective.information(fit.optimum.x)
    if information is None:
        return fit.theta_sigma.x_root[:-1]
    basis = fit.design.coordinates.basis(fit.optimum.x)
    return np.asarray(np.sqrt(2.0) * basis @ inverse_root(basis.T @ information @ basis))


def _by_x(fit: Fitted, deletion: Deletion) -> Array:
    """Gradient (J, n_x) of the criterion without each unit: dT = dΛΛᵀ + ΛdΛᵀ."""
    covariance = fit.design.covariance
    pairs = zip(deletion.by_T, unflattened(covariance, fit.lam), strict=True)
    parts = [2 * (by_T @ factor).reshape(len(by_T), -1) for by_T, factor in pairs]
    by_lam = np.concatenate([np.zeros((len(deletion.units), 0)), *parts], axis=1)
    return np.asarray(by_lam @ covariance.jacobian(fit.theta_values).T)


def _sigma(fit: Fitted, deletion: Deletion) -> Array:
    """(J,) σ̂ at the fit's θ."""
    if (known := fit.design.residual.sigma) is not None:
        return np.full(len(deletion.n), known)
    return np.sqrt(deletion.r2 / (deletion.n - fit.design.p * fit.reml))


def _moves(fit: Fitted) -> tuple[Array, Array]:
    """∂δ̂/∂x (n_x, p) and ∂log σ̂/∂x (n_x,) of the whole fit.

    With h = H(−δ̂, 1): dδ̂ = −A_QQ⁻¹ Σ_l H_Q,lᵀ dT h_l and dr² = −Σ_l h_lᵀ dT h_l.
    """
    design, covariance, a = fit.design, fit.design.covariance, np.append(-fit.delta, 1.0)
    Q, y = design.orthonormal_columns, design.residual.whiten(design.y - design.offset)
    E = left_over(design, np.column_stack([Q, y - Q @ design.kernel.gamma_ls]), fit.conditional)
    jacobian, p = covariance.jacobian(fit.theta_values), design.p
    by_delta, by_r2 = np.zeros((len(jacobian), p)), np.zeros(len(jacobian))
    blocks = zip(seen_by_levels(design, E), unflattened(covariance, fit.lam), covariance.offsets, strict=True)
    for H, factor, first in blocks:
        moves = jacobian[:, first : first + factor.size].reshape(-1, *factor.shape)
        half = moves @ factor.T
        products = np.einsum("lac,lbd,d->abc", H, H, a, optimize=True)
        seen = np.einsum("tab,abc->tc", half + half.transpose(0, 2, 1), products)
        by_delta -= seen[:, :p] @ fit.solved.inverse
        by_r2 -= seen @ a
    return by_delta, (0.5 * by_r2 / fit.pwrss if design.residual.sigma_free else 0 * by_r2)


def _come_back(fit: Fitted, deletion: Deletion) -> Mask:
    """(J,) would a direction of T that vanished do so no more?"""
    out = np.zeros(len(deletion.units), dtype=bool)
    for by_T, factor in zip(deletion.by_T, unflattened(fit.design.covariance, fit.lam), strict=True):
        left, sizes, _ = np.linalg.svd(factor)
        null = left[:, sizes <= 1e-10 * max(sizes.max(initial=0.0), 1.0)]
        slopes = np.linalg.eigvalsh(np.nan_to_num(null.T @ by_T @ null)).min(axis=1, initial=0.0)
        out |= slopes < DOWNHILL * np.abs(np.nan_to_num(by_T)).max(axis=(1, 2))
    return out


def _refit(fit: Fitted, found: Without, unit: int, search: bool) -> None:
    """Put the estimates of the other rows in a unit's place; NaN where there are none."""
    other = _searched(fit, found, unit) if search else _held(fit, found, unit)
    ok, found.searched[unit] = other.convergence.converged, search
    found.x[unit], found.sigma[unit] = (other.optimum.x, other.sigma) if ok else (np.nan, np.nan)
    found.beta[unit], found.vcov[unit] = (other.beta_values, other.vcov_values) if ok else (np.nan, np.nan)


def _searched(fit: Fitted, found: Without, unit: int) -> Fitted:
    """The fit without a unit, searched for from its step."""
    start = found.x[unit] if np.isfinite(found.x[unit]).all() else fit.optimum.x
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", BayesLMMWarning)
        return refit(without(fit.design, found.units.rows(unit)), Source.of(fit), start)


def _held(fit: Fitted, found: Without, unit: int) -> Fitted:
    """What stands without a unit at the fit's θ and φ."""
    smaller = without(fit.design, found.units.rows(unit))
    optimum = fit.optimum if is_told(smaller) else replace(fit.optimum, convergence=NO_FIT)
    return replace(fit, design=smaller, optimum=optimum)

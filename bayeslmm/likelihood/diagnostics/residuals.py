"""Residuals of every kind: raw, over their sd, or over the sd that they have after fitting."""

from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bayeslmm.errors import DataError, check_choice
from bayeslmm.likelihood.fitted import Fitted
from bayeslmm.likelihood.row_values import beta_variances

type Array = NDArray[np.float64]
type ResidualKind = Literal["response", "pearson", "standardized"]
type ResidualLevel = Literal["conditional", "marginal"]

KINDS = ("response", "pearson", "standardized")
LEVELS = ("conditional", "marginal")


def residuals(fit: Fitted, kind: ResidualKind, level: ResidualLevel) -> "pd.Series[float]":
    """One a row.

    Raises
    ------
    OptionError
        For another kind or level.
    DataError
        When the rows aren't in memory.
    """
    check_choice("kind", kind, KINDS)
    check_choice("level", level, LEVELS)
    if not fit.design.in_memory:
        raise DataError("the rows aren't in memory: use fit.fitted_chunks(), some rows at a time")
    raw = fit.residuals if level == "conditional" else _marginal(fit)
    variance = {"response": _one, "pearson": _spread, "standardized": _after_fitting}[kind](fit, level)
    return (raw / np.sqrt(variance)).rename(f"{level}_{kind}_residual")


def _marginal(fit: Fitted) -> "pd.Series[float]":
    """y − Xβ̂ − offset."""
    design = fit.design
    return pd.Series(design.y - design.X @ fit.beta_values - design.offset, index=design.index)


def _one(fit: Fitted, level: str) -> Array:
    return np.ones(fit.design.n)


def _spread(fit: Fitted, level: str) -> Array:
    """σ²R_ii, marginally σ²(zᵀTz + R_ii)."""
    own = fit.design.residual.variances()
    return np.asarray(fit.sigma**2 * (own + (_random_variances(fit) if level == "marginal" else 0.0)))


def _random_variances(fit: Fitted) -> Array:
    """zᵀTz of each row, over σ²."""
    total, covariance = np.zeros(fit.design.n), fit.design.covariance
    for block, factor in zip(fit.design.blocks, covariance.factors(fit.theta_values), strict=True):
        total += block.level_variances[block.codes] * np.sum((block.columns @ factor) ** 2, axis=1)
    return total


def _after_fitting(fit: Fitted, level: str) -> Array:
    """Var of the residual itself: σ²R_ii(1 − h_ii), h the hat value; marginally less what β̂ takes."""
    design = fit.design
    if level == "conditional":
        return np.asarray(_spread(fit, level) * (1 - np.asarray(fit.hat_values)))
    taken = beta_variances(design.kernel, fit.conditional, design.X)
    return np.asarray(_spread(fit, level) - fit.sigma**2 * taken)

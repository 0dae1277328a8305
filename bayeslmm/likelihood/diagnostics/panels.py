"""From a fit's numbers to what plots of them show."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bayeslmm.likelihood import random_effects
from bayeslmm.likelihood.diagnostics.residuals import residuals
from bayeslmm.likelihood.fitted import Fitted
from bayeslmm.likelihood.serial import NORMALIZED, autocorrelation, variogram
from bayeslmm.render.diagnostics import Quantiles, Scatter

type Array = NDArray[np.float64]

BAND = 0.95  # of the quantiles, at each place


class StandardizedEffects(NamedTuple):
    """BLUPs of one coef of a group over the standard deviations they should have; NaN where that is 0."""

    group: str
    coef: str
    levels: tuple[str, ...]
    values: Array


def standardized_effects(fit: Fitted) -> Iterator[StandardizedEffects]:
    """b̂ / sd(b̂) by group and coef, Var(b̂) = Var(b) − Var(b̂ − b)."""
    design = fit.design
    factors = design.covariance.factors(fit.theta_values)
    errors = random_effects.prediction_covariances(design, fit.conditional, fit.sigma)
    parts = zip(design.blocks, random_effects.split(design, fit.b), factors, errors, strict=True)
    for block, b, factor, error in parts:
        prior = block.level_variances[:-1, None] * fit.sigma**2 * np.sum(factor**2, axis=1)
        variance = prior - np.einsum("jkk->jk", error)
        known = variance > 1e-8 * np.maximum(prior, 1e-300)
        scaled = np.where(known, b, np.nan) / np.sqrt(np.where(known, variance, 1.0))
        for number, coef in enumerate(block.coefs):
            yield StandardizedEffects(block.group, coef, tuple(map(str, block.levels)), scaled[:, number])


def residual_panels(fit: Fitted) -> list[Scatter | Quantiles]:
    """Residuals over fitted values, and the root of their size, which shows a spread that changes."""
    left = residuals(fit, "standardized", "conditional")
    names, fitted = tuple(left.index.astype(str)), np.asarray(fit.fitted)
    values, size = np.asarray(left), np.sqrt(np.abs(np.asarray(left)))
    return [
        Scatter("Residuals", "fitted", "standardized residual", fitted, values, names),
        Scatter("Spread", "fitted", "√|standardized residual|", fitted, size, names, level=None),
    ]


def serial_panels(fit: Fitted, max_lag: int, bins: int) -> list[Scatter | Quantiles]:
    """Autocorrelation and variogram of normalized residuals."""
    acf = autocorrelation(fit, max_lag, NORMALIZED).iloc[1:].dropna()
    by_distance = variogram(fit, bins, NORMALIZED)
    lag, distance = (each.to_numpy(dtype=np.float64) for each in (acf["lag"], by_distance["distance"]))
    return [
        Scatter(
            "autocorrelation", "rows apart", "correlation of normalized residuals", lag, acf["acf"].to_numpy()
        ),
        Scatter(
            "variogram",
            "distance",
            "half the squared difference",
            distance,
            by_distance["variogram"].to_numpy(),
            level=1.0,
        ),
    ]


def quantile_panels(fit: Fitted) -> list[Scatter | Quantiles]:
    """Standardized residuals, then BLUPs of each coef, against normal quantiles."""
    left = residuals(fit, "standardized", "conditional")
    effects = [each for each in standardized_effects(fit) if np.isfinite(each.values).any()]
    return [
        _normal("Residuals", np.asarray(left), tuple(left.index.astype(str))),
        *(
            _normal(f"{each.group}: {each.coef}", each.values, tuple(map(str, each.levels)))
            for each in effects
        ),
    ]


def _normal(title: str, values: Array, names: tuple[str, ...]) -> Quantiles:
    from scipy.special import ndtri

    return _quantiles(title, values, names, ndtri)


def _quantiles(title: str, values: Array, names: tuple[str, ...], inverse: np.ufunc | None) -> Quantiles:
    """Order statistics, each with its band: the i-th of n uniform numbers is Beta(i, n + 1 − i)."""
    from scipy.special import betaincinv

    known = np.flatnonzero(np.isfinite(values))
    order = known[np.argsort(values[known], kind="stable")]
    n, i = len(order), np.arange(1, len(order) + 1)
    ends = [betaincinv(i, n + 1 - i, tail) for tail in ((1 - BAND) / 2, (1 + BAND) / 2)]
    places = np.array([(i - 0.5) / n, *ends], dtype=np.float64)
    expected, lower, upper = places if inverse is None else inverse(places)
    own = tuple(names[place] for place in order)
    return Quantiles(title, expected, values[order], lower, upper, own)


def simulated_panels(scaled: "pd.Series[float]", fitted: Array) -> list[Scatter | Quantiles]:
    """Scaled residuals against uniform quantiles, and over the ranks of the simulated means."""
    values, names = np.asarray(scaled), tuple(scaled.index.astype(str))
    ranks = (np.argsort(np.argsort(fitted)) + 0.5) / len(fitted)
    return [
        _quantiles("Simulated residuals", values, names, None),
        Scatter("Over the mean", "rank of the simulated mean", "scaled residual", ranks, values, names, 0.5),
    ]

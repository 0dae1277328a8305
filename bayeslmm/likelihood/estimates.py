"""The fit's table of estimates: Wald standard errors and intervals under the labels all engines share."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bayeslmm.estimands.table import EstimateTable
from bayeslmm.likelihood.fitted import Fitted
from bayeslmm.spec.labels import SIGMA, beta_labels, cor_labels, kind_of, ranef_labels, sd_labels

type Array = NDArray[np.float64]


def wald_table(fit: Fitted, prob: float, ranef: bool) -> EstimateTable:
    """Estimates with Wald intervals at normal quantiles.

    Intervals of sd and σ are symmetric in their logarithm, those of correlations in atanh of what carries
    their range to (−1, 1), so that none leaves it; NaN on the boundary. Random effects have the standard
    error of prediction, of b̂ − b.

    Parameters
    ----------
    prob : probability of the intervals. ranef : add one row a random effect.
    """
    parts = [_plain(beta_labels(fit.design), fit.beta_values, np.sqrt(np.diag(fit.vcov_values)), prob)]
    parts += _variance_parts(fit, prob)
    if ranef:
        parts.append(_plain(ranef_labels(fit.design), fit.b, fit.sd_prediction, prob))
    return EstimateTable(pd.concat(parts), fit.criterion, "wald", prob)


def _variance_parts(fit: Fitted, prob: float) -> list[pd.DataFrame]:
    design, errors = fit.design, fit.natural_errors
    natural = design.covariance.natural(fit.theta_values, fit.sigma)
    groups = [block.group for block in design.blocks]
    sd, sd_se = (_joined(values, groups) for values in (natural.sd, errors.sd))
    cor, cor_se = (_joined(values, groups) for values in (natural.cor, errors.cor))
    parts = [
        _transformed(sd_labels(design), sd, sd_se, np.log, np.exp, sd, prob),
        _within_bounds(cor_labels(design), cor, cor_se, _cor_bounds(fit), prob),
    ]
    if fit.design.residual.sigma_free:
        sigma, se = np.array([fit.sigma]), np.array([errors.sigma])
        parts.append(_transformed((SIGMA,), sigma, se, np.log, np.exp, sigma, prob))
    return [part for part in parts if len(part)]


def _cor_bounds(fit: Fitted) -> Array:
    covariance = fit.design.covariance
    parts = [covariance.cor_bounds(number) for number in range(len(fit.design.blocks))]
    return np.concatenate([np.zeros((0, 2)), *parts])


def _joined(values: dict[str, Array], groups: list[str]) -> Array:
    return np.concatenate([np.zeros(0), *(values[group] for group in groups)])


def _plain(labels: tuple[str, ...], estimate: Array, se: Array, prob: float) -> pd.DataFrame:
    half = _quantile(prob) * se
    return _frame(labels, estimate, se, estimate - half, estimate + half)


def _transformed(
    labels: tuple[str, ...],
    estimate: Array,
    se: Array,
    there: np.ufunc,
    back: np.ufunc,
    inverse_slope: Array,
    prob: float,
) -> pd.DataFrame:
    """An interval symmetric on a transformed scale; `inverse_slope` is d estimate / d transformed."""
    with np.errstate(divide="ignore", invalid="ignore"):
        half = _quantile(prob) * se / inverse_slope
        centre = there(estimate)
        return _frame(labels, estimate, se, back(centre - half), back(centre + half))


def _within_bounds(
    labels: tuple[str, ...], cor: Array, se: Array, bounds: Array, prob: float
) -> pd.DataFrame:
    """Intervals of correlations inside their ranges (n_pairs, 2)."""
    centre, half = bounds.mean(axis=1), (bounds[:, 1] - bounds[:, 0]) / 2
    unit = (cor - centre) / half
    table = _transformed(labels, unit, se / half, np.arctanh, np.tanh, 1 - unit**2, prob)
    lower, upper = (centre + half * table[side].to_numpy() for side in ("lower", "upper"))
    return _frame(labels, cor, se, lower, upper)


def _frame(labels: tuple[str, ...], estimate: Array, se: Array, lower: Array, upper: Array) -> pd.DataFrame:
    columns = {
        "kind": [kind_of(label) for label in labels],
        "estimate": estimate,
        "se": se,
        "lower": lower,
        "upper": upper,
    }
    return pd.DataFrame(columns, index=list(labels))


def _quantile(prob: float) -> float:
    from scipy.special import ndtri

    return float(ndtri(0.5 + prob / 2))

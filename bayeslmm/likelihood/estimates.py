"""The fit's table of estimates: Wald standard errors and intervals under the labels all engines share."""

from collections.abc import Iterator

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bayeslmm.errors import IntervalWarning, caution, check_prob
from bayeslmm.estimands.table import EstimateTable
from bayeslmm.likelihood.fitted import Fitted
from bayeslmm.spec.labels import SIGMA, beta_labels, cor_labels, kind_of, ranef_labels, sd_labels
from bayeslmm.spec.residual import Parameters

type Array = NDArray[np.float64]


BOUNDARY = "on their boundary, where there is no Wald error: see their profile or a bootstrap"
UNKNOWN = "without a standard error: the criterion is flat there, or not at its minimum"
OVERFLOW = "with limits beyond all numbers: the error is many times the estimate; see their profile"


def wald_table(fit: Fitted, prob: float, ranef: bool) -> EstimateTable:
    """Estimates with Wald intervals at normal quantiles.

    Intervals of sd and σ are symmetric in their logarithm, those of correlations in atanh of what carries
    their range to (−1, 1), so that none leaves it; NaN on the boundary. Random effects have the standard
    error of prediction, of b̂ − b.

    Parameters
    ----------
    prob : probability of the intervals. ranef : add one row a random effect.

    Raises
    ------
    OptionError
        For a probability outside (0, 1).
    """
    check_prob(prob)
    parts = [normal_rows(beta_labels(fit.design), fit.beta_values, fit.se.to_numpy(), prob)]
    parts += _variance_parts(fit, prob)
    if ranef:
        parts.append(normal_rows(ranef_labels(fit.design), fit.b, fit.sd_prediction, prob))
    frame = pd.concat(parts)
    return EstimateTable(frame, fit.criterion, "wald", prob, tuple(_missing(frame, _on_boundary(fit))))


def tell(table: EstimateTable) -> None:
    """Warn of the limits that a table lacks, but for those on a boundary, which the fit has told.

    Warns
    -----
    IntervalWarning
        Once, with all of them.
    """
    lacking = [note for note in table.notes if not note.endswith(BOUNDARY)]
    if lacking:
        caution("; ".join(lacking), IntervalWarning)


def _missing(frame: pd.DataFrame, boundary: "pd.Series[bool]") -> Iterator[str]:
    """A line for each reason why standard errors or limits aren't numbers."""
    numbers = frame[["estimate", "se", "lower", "upper"]].astype(float)
    there = boundary.reindex(frame.index, fill_value=False)
    no_error = ~np.isfinite(numbers["se"]) & ~there
    no_limit = ~np.isfinite(numbers[["lower", "upper"]]).all(axis=1) & ~there & ~no_error
    for which, why in ((there, BOUNDARY), (no_error, UNKNOWN), (no_limit, OVERFLOW)):
        if which.any():
            yield f"{', '.join(frame.index[which])}: {why}"


def _on_boundary(fit: Fitted) -> "pd.Series[bool]":
    """Which sd and cor lie at an end of their range, by label."""
    design, groups = fit.design, [block.group for block in fit.design.blocks]
    natural = design.covariance.natural(fit.theta_values, fit.sigma)
    sd, cor = (_joined(values, groups) for values in (natural.sd, natural.cor))
    bounds = _cor_bounds(fit)
    at_end = np.isnan(cor) | (np.abs(bounds - cor[:, None]).min(axis=1, initial=np.inf) < 1e-12)
    return pd.Series([*(sd == 0), *at_end], index=[*sd_labels(design), *cor_labels(design)], dtype=bool)


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
    parts.append(residual_rows(fit, prob))
    if fit.design.residual.sigma_free:
        sigma, se = np.array([fit.sigma]), np.array([errors.sigma])
        parts.append(_transformed((SIGMA,), sigma, se, np.log, np.exp, sigma, prob))
    return [part for part in parts if len(part)]


def residual_rows(fit: Fitted, prob: float) -> pd.DataFrame:
    """The parameters of R in their natural scale, each interval within its range."""
    return _rows_of(fit.residual_natural, fit.residual_errors, prob)


def kept_rows(fit: Fitted, prob: float) -> pd.DataFrame:
    """Those that are kept at start values; only multiples of σ have its error."""
    found = fit.design.residual.kept(fit.sigma)
    errors = (
        np.abs(found.slopes[:, -1]) * fit.natural_errors.sigma / fit.sigma if found.labels else np.zeros(0)
    )
    return _rows_of(found, np.where(errors > 0.0, errors, np.nan), prob)


def _rows_of(found: Parameters, errors: Array, prob: float) -> pd.DataFrame:
    rows = [
        _in_range(label, value, error, low, high, prob)
        for label, value, error, (low, high) in zip(
            found.labels, found.values, errors, found.bounds.tolist(), strict=True
        )
    ]
    return pd.concat(rows) if rows else _frame((), *np.zeros((4, 0)))


def _in_range(label: str, value: float, se: float, low: float, high: float, prob: float) -> pd.DataFrame:
    """An interval symmetric on the scale on which the range has no end."""
    estimate, error = np.array([value]), np.array([se])
    if np.isfinite(high):
        return _within_bounds((label,), estimate, error, np.array([[low, high]]), prob)
    if np.isfinite(low):
        return _transformed((label,), estimate, error, np.log, np.exp, estimate, prob)
    return normal_rows((label,), estimate, error, prob)


def _cor_bounds(fit: Fitted) -> Array:
    covariance = fit.design.covariance
    parts = [covariance.cor_bounds(number) for number in range(len(fit.design.blocks))]
    return np.concatenate([np.zeros((0, 2)), *parts])


def _joined(values: dict[str, Array], groups: list[str]) -> Array:
    return np.concatenate([np.zeros(0), *(values[group] for group in groups)])


def normal_rows(labels: tuple[str, ...], estimate: Array, se: Array, prob: float) -> pd.DataFrame:
    """Rows of a table with intervals of normal quantiles, by label."""
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
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
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

"""What rows must have for a correlation or a variance function; one error each."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bayeslmm.errors import DataError, OptionError

from .given import LARGEST
from .residual import CorrelationStructure, Structured, VarianceFunction
from .residual.correlations import Counts
from .residual.roots.base import distinct
from .residual_levels import Levels

type Array = NDArray[np.float64]
type Codes = NDArray[np.int64]
type Columns = Mapping[str, pd.Series]

SAMPLE = 400  # rows of which distances are looked at for a typical one
ALONE = 1e-15  # of a row's variance, what those before it must leave
WHOLE = "the data"  # the residual group of rows that are all joined


def typical(at: Array, groups: Codes) -> float:
    """The median distance to a neighbour: on a line of all rows, else of some of the largest group."""
    if at.shape[1] == 1:
        order = np.lexsort((at[:, 0], groups))
        gaps = np.diff(at[order, 0])[np.diff(groups[order]) == 0]
    else:
        own = at[groups == np.argmax(np.bincount(groups))][:SAMPLE]
        apart = np.sqrt(np.sum((own[:, None] - own) ** 2, axis=2))
        gaps = np.min(np.where(apart > 0, apart, np.inf), axis=1)
    gaps = gaps[np.isfinite(gaps) & (gaps > 0)]
    return float(np.median(gaps)) if len(gaps) else 1.0


def check_strata(structure: CorrelationStructure, groups: Levels, strata: Levels) -> None:
    sizes = np.bincount(groups.codes)
    if sizes.max() < 2:
        raise DataError(
            f"{structure.keyword}: every group of {structure.form!r} has one row, so no two rows are "
            "correlated; group "
            "by something coarser, or leave the correlation out"
        )
    together, _ = distinct(groups.codes, strata.codes)
    if len(together) > len(sizes):
        raise DataError(
            f"{structure.keyword}: rows of one group of {structure.form!r} have different "
            f"{structure.by!r}; a stratum "
            "holds whole groups"
        )
    of_groups = strata.codes[together]
    for number, label in enumerate(strata.labels):
        if sizes[groups.codes[together]][of_groups == number].max() < 2:
            raise DataError(
                f"{structure.keyword}: no group in stratum {label!r} of {structure.by!r} has two "
                "rows; leave by= out"
            )


def check_coordinates(structure: CorrelationStructure, names: tuple[str, ...]) -> None:
    flat = structure.counts is not Counts.DISTANCE or structure.on_a_line
    if flat and len(names) > 1:
        raise DataError(
            f"{structure.keyword} goes along one coordinate, and {structure.form!r} names "
            f"{len(names)}; keep one, "
            "or take a spatial correlation such as Exponential"
        )


def check_repeats(structure: CorrelationStructure, groups: Levels, at: Array, names: tuple[str, ...]) -> None:
    alone, _ = distinct(groups.codes, *at.T)
    if len(alone) < len(at):
        twice = np.ones(len(at), dtype=bool)
        twice[alone] = False
        first = int(np.flatnonzero(twice)[0])
        where = WHOLE if groups.grouping is None else repr(groups.labels[groups.codes[first]])
        raise DataError(
            f"{structure.keyword}: {int(twice.sum())} rows have the same {', '.join(names)} as "
            "another row of their "
            f"group, the first in {where}; their correlation would be 1. Give groups in which times "
            "differ, or drop "
            "rows that came twice"
        )


def check_visits(structure: CorrelationStructure, name: str, levels: tuple[str, ...], at: Array) -> None:
    counts = np.bincount(at.astype(np.int64), minlength=len(levels)).tolist()
    for level, count in zip(levels, counts, strict=True):
        if count == 1:
            raise DataError(
                f"{structure.keyword}: {level!r} of {name!r} has one row, which tells no correlation with "
                "other visits; leave that row out, put the visit together with another, or take a structure "
                "with fewer parameters, such as AR1"
            )


def check_levels(structure: VarianceFunction, name: str, levels: tuple[str, ...]) -> None:
    if len(levels) == 1:
        raise DataError(
            f"{structure.keyword}: {name!r} has one level in these rows, {levels[0]!r}, and sigma is its "
            "standard deviation; leave the variance out, or name a column with two levels"
        )


def check_start(residual: Structured) -> None:
    """Where start values are given: the covariance that they make is one that floating point holds.

    Raises
    ------
    OptionError
        When a variance is beyond it, or a row is a sum of others to the last digit.
    """
    given = [part.structure for part in residual.parts if part.structure.start is not None]
    if not given:
        return
    with np.errstate(all="ignore"):
        log_variances = np.log(residual.variances(residual.start))
        own = residual.log_pivots(residual.start) - log_variances
    if not (np.abs(log_variances) < 2 * np.log(LARGEST)).all() or not (own > np.log(ALONE)).all():
        listed = " and ".join(f"{each.keyword}, {each.start!r}" for each in given)
        raise OptionError(
            f"the start values of {listed}, make a covariance of the residual that floating point doesn't "
            "hold: a variance is too large or too small, or a correlation is 1; begin further from the ends "
            "of their ranges"
        )

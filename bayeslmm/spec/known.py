"""Known covariance between the levels of a grouping factor, a pedigree's for one: K of Var(b) = σ²K ⊗ T."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bayeslmm.errors import DataError

from .factors import Grouping, interaction_label, labels_of
from .given import check_sizes

type Array = NDArray[np.float64]

_SMALLEST = 1e-12  # eigenvalue relative to the largest below which a matrix counts as singular


def with_known(grouping: Grouping, K: Any) -> tuple[Grouping, Array]:
    """The grouping factor with all levels of K, and the lower factor of K in their order.

    Levels that only K names come last: they have no data, and are predicted through the others.

    Raises
    ------
    DataError
        When K isn't a symmetric positive definite matrix, or doesn't name all levels.
    """
    if isinstance(K, pd.DataFrame):
        matrix, (rows, columns) = _numbers(grouping.name, K), _names(grouping, K)
        levels = _all_levels(grouping, list(rows))
        matrix = matrix[np.ix_([rows[level] for level in levels], [columns[level] for level in levels])]
        grouping = _extended(grouping, levels)
    else:
        matrix = _numbers(grouping.name, K)
        _check_shape(grouping, matrix)
    return grouping, _factor(grouping.name, matrix)


def _numbers(group: str, K: Any) -> Array:
    try:
        matrix = np.asarray(K, dtype=float)
    except (TypeError, ValueError) as error:
        raise DataError(f"the known covariance of {group!r} isn't a matrix of numbers: {error}") from None
    if not np.isfinite(matrix).all():
        raise DataError(f"the known covariance of {group!r} has values that are missing or infinite")
    check_sizes((f"the known covariance of {group!r}",), matrix.reshape(-1, 1))
    return matrix


def _names(grouping: Grouping, K: pd.DataFrame) -> tuple[dict[str, int], dict[str, int]]:
    """Where each level stands among the rows, and among the columns."""
    places = [
        {level: at for at, level in enumerate(_levels(grouping, axis))} for axis in (K.index, K.columns)
    ]
    if places[0].keys() != places[1].keys() or len(places[0]) < len(K):
        raise DataError(
            f"the rows and columns of the known covariance of {grouping.name!r} don't name the same levels, "
            "once each"
        )
    return places[0], places[1]


def _levels(grouping: Grouping, names: "pd.Index[Any]") -> list[str]:
    """Labels of levels; those of an interaction may be given as tuples, one value a column."""
    parts = len(grouping.columns)
    if parts == 1 or not all(isinstance(name, tuple) and len(name) == parts for name in names):
        return labels_of(names)
    return list(map(interaction_label, zip(*map(labels_of, zip(*names, strict=True)), strict=True)))


def _all_levels(grouping: Grouping, names: Sequence[str]) -> tuple[str, ...]:
    missing = [level for level in grouping.levels if level not in set(names)]
    if missing:
        more = f" (and {len(missing) - 1} more)" if len(missing) > 1 else ""
        raise DataError(
            f"the known covariance of {grouping.name!r} doesn't name level {missing[0]!r}{more}; "
            "every level of the data needs a row and a column"
        )
    extra = tuple(name for name in names if name not in set(grouping.levels))
    if extra and len(grouping.columns) > 1:
        raise DataError(
            f"the known covariance of {grouping.name!r} names {extra[0]!r}, which isn't in the data; "
            "only a single column's levels may go without data"
        )
    return grouping.levels + extra


def _extended(grouping: Grouping, levels: tuple[str, ...]) -> Grouping:
    if len(levels) == len(grouping.levels):
        return grouping
    return replace(grouping, parts=(levels,), cells=np.arange(len(levels)), levels=levels)


def _check_shape(grouping: Grouping, matrix: Array) -> None:
    J = len(grouping.levels)
    if matrix.shape != (J, J):
        raise DataError(
            f"the known covariance of {grouping.name!r} has shape {matrix.shape} for {J} levels; "
            "give a DataFrame whose rows and columns name the levels"
        )


def _factor(group: str, K: Array) -> Array:
    """The lower factor of a symmetric positive definite matrix."""
    uneven = float(np.max(np.abs(K - K.T)))
    if uneven > 1e-8 * np.max(np.abs(K)):
        raise DataError(f"the known covariance of {group!r} isn't symmetric: elements differ by {uneven:.3g}")
    symmetric = (K + K.T) / 2
    values = np.linalg.eigvalsh(symmetric)
    if not values[0] > _SMALLEST * values[-1]:
        raise DataError(
            f"the known covariance of {group!r} isn't positive definite: its smallest eigenvalue is "
            f"{values[0]:.3g}; identical levels (clones) do that: make them one level"
        )
    return np.linalg.cholesky(symmetric)

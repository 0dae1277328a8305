"""Numbers that a user gives: for parameters that have names, for rows, and how large."""

from collections.abc import Sequence
from math import isfinite
from reprlib import repr as shortened
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from bayeslmm.errors import DataError, OptionError

LARGEST = 1e150  # of numbers of which millions of squares are added


def floats(what: str, given: Any, instead: str = "") -> NDArray[np.float64]:
    """Numbers of any shape.

    Parameters
    ----------
    instead : what is needed.

    Raises
    ------
    OptionError
        For anything else.
    """
    try:
        return np.asarray(given, dtype=np.float64)
    except (TypeError, ValueError):
        raise OptionError(f"{what} is {shortened(given)}, which isn't numbers{instead}") from None


def numbers_for(what: str, given: ArrayLike, names: Sequence[str]) -> NDArray[np.float64]:
    """Finite numbers (n,), one for each of these names, in their order, of any shape.

    Raises
    ------
    OptionError
        For text, NaN, an infinite value, or more or fewer than names.
    """
    needed = f"{len(names)} needed{': ' if names else ''}{', '.join(names)}"
    values = np.ravel(floats(what, given, f"; {needed}"))
    if values.size != len(names):
        raise OptionError(f"{what} has {values.size} values; {needed}")
    for name, value in zip(names, values.tolist(), strict=True):
        if not np.isfinite(value):
            raise OptionError(f"{what}: {name} is {value:g}, not a finite number")
    return values


def has_square(size: float) -> bool:
    """Does floating point hold the squares of numbers of this size, and their sums?"""
    return 1 / LARGEST <= size <= LARGEST


def check_sizes(names: Sequence[str], columns: NDArray[np.float64], least: float = 0.0) -> None:
    """Floating point holds the squares of the largest of each column (n, k), unless all are 0.

    Parameters
    ----------
    least : a size known of what isn't here; 1.0 asks for values that aren't too large.

    Raises
    ------
    DataError
        Saying how large they are. Values that aren't finite are left to who knows their rows.
    """
    sizes = np.maximum(columns.max(axis=0, initial=least), -columns.min(axis=0, initial=-least))
    for name, largest in zip(names, sizes.tolist(), strict=True):
        if largest and isfinite(largest) and not has_square(largest):
            raise DataError(
                f"{name} is {largest:g} at most, whose square is beyond floating point; take other units"
            )


def check_order(what: str, values: "pd.Series[Any]", labels: pd.Index) -> None:
    """Values taken by position aren't a Series with the rows' labels in another order.

    Raises
    ------
    DataError
        When they are.
    """
    same = values.index.equals(labels)
    if not same and values.index.is_unique and labels.is_unique and set(values.index) == set(labels):
        raise DataError(
            f"{what}: a Series with the data's labels in another order, and values are taken by position; "
            "give .reindex(data.index) of it, or .to_numpy() if its order is the data's"
        )


def row_values(what: str, values: ArrayLike, labels: pd.Index) -> NDArray[np.float64]:
    """One number a row from an argument that isn't a column's name; `labels` are the rows'.

    Raises
    ------
    DataError
        When they are of another length or order, not numbers, or too large.
    """
    if isinstance(values, pd.Series):
        check_order(what, values, labels)
    try:
        array = np.array(values, dtype=float)  # a copy: the design's arrays are made read-only
    except (TypeError, ValueError):
        raise DataError(f"{what}: these aren't numbers") from None
    if array.shape != labels.shape:
        raise DataError(f"{what}: {array.shape} values for {len(labels)} rows of data; give one value a row")
    check_sizes((what,), array[:, None], 1.0)
    return array

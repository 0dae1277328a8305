"""Numbers that a user gives: for parameters that have names, and how large."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bayeslmm.errors import OptionError

LARGEST = 1e150  # of numbers of which millions of squares are added


def numbers_for(what: str, given: ArrayLike, names: Sequence[str]) -> NDArray[np.float64]:
    """Finite numbers (n,), one for each of these names, in their order, of any shape.

    Raises
    ------
    OptionError
        For text, NaN, an infinite value, or more or fewer than names.
    """
    needed = f"{len(names)} needed{': ' if names else ''}{', '.join(names)}"
    try:
        values = np.ravel(np.asarray(given, dtype=float))
    except (TypeError, ValueError):
        raise OptionError(f"{what} is {given!r}, which isn't numbers; {needed}") from None
    if values.size != len(names):
        raise OptionError(f"{what} has {values.size} values; {needed}")
    for name, value in zip(names, values.tolist(), strict=True):
        if not np.isfinite(value):
            raise OptionError(f"{what}: {name} is {value:g}, not a finite number")
    return values


def has_square(size: float) -> bool:
    """Does floating point hold the squares of numbers of this size, and their sums?"""
    return 1 / LARGEST <= size <= LARGEST

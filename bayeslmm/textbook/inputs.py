"""What the closed forms are given, read once: numbers, labels, matrices, variances."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bayeslmm.errors import DataError, OptionError

type Array = NDArray[np.float64]
type Codes = NDArray[np.intp]


def numbers(name: str, values: ArrayLike, size: int | None = None) -> Array:
    """Values as (n,) floats, n = size where it is given.

    Raises
    ------
    DataError
        For text, missing or infinite values, none at all, more than one dimension, or another number.
    """
    array = floats(name, values)
    if array.ndim != 1 or not array.size:
        raise DataError(f"{name} has shape {array.shape}; a closed form takes a sequence of numbers")
    if size is not None and len(array) != size:
        raise DataError(f"{name} has {len(array)} numbers; here it has {size}")
    return array


def number(name: str, value: ArrayLike) -> float:
    """One finite number.

    Raises
    ------
    DataError
        For text, missing or infinite values, or several numbers.
    """
    array = floats(name, value)
    if array.ndim:
        raise DataError(f"{name} has shape {array.shape}; here it is one number")
    return float(array)


def matrix(name: str, values: ArrayLike, rows: int | None = None) -> Array:
    """Values as (rows, m) floats; a sequence of numbers is one column.

    Raises
    ------
    DataError
        For text, missing or infinite values, or another number of rows.
    """
    array = floats(name, values)
    array = array[:, None] if array.ndim == 1 else array
    if array.ndim != 2 or not array.size:
        raise DataError(f"{name} has shape {array.shape}; here it is a matrix")
    if rows is not None and len(array) != rows:
        raise DataError(f"{name} has {len(array)} rows, where {rows} are needed")
    return array


def square(name: str, values: ArrayLike, size: int) -> Array:
    """Values as a symmetric (size, size) matrix.

    Raises
    ------
    DataError
        When it has another shape or isn't symmetric.
    """
    array = floats(name, values)
    if array.shape != (size, size):
        raise DataError(f"{name} has shape {array.shape}; here it is ({size}, {size})")
    if not np.allclose(array, array.T, rtol=1e-10, atol=1e-12 * float(np.abs(array).max())):
        raise DataError(f"{name} isn't symmetric; was one triangle left out?")
    return array


def covariance(name: str, values: ArrayLike, size: int) -> Array:
    """Values as a (size, size) covariance matrix.

    Raises
    ------
    DataError
        When it has another shape, isn't symmetric, or isn't positive definite.
    """
    array = square(name, values, size)
    try:
        np.linalg.cholesky(array)
    except np.linalg.LinAlgError:
        raise DataError(
            f"{name} isn't positive definite; leave out effects whose variance is 0, and repeated ones"
        ) from None
    return array


def coded(name: str, labels: ArrayLike, rows: int) -> tuple[tuple[object, ...], Codes]:
    """The sorted levels of a factor, and each row's place among them.

    Raises
    ------
    DataError
        For another number of rows, or a missing label.
    """
    import pandas as pd

    values = pd.Series(np.asarray(labels, dtype=object).ravel())
    if len(values) != rows:
        raise DataError(f"{name} has {len(values)} labels and y has {rows} values; each row needs both")
    if values.isna().any():
        raise DataError(f"{name} has {values.isna().sum()} missing labels; leave these rows out")
    categorical = pd.Categorical(values)
    return tuple(categorical.categories), categorical.codes.astype(np.intp)


def check_variance(name: str, value: ArrayLike, positive: bool = False) -> float:
    """A variance, or a ratio of two: finite, at least 0, above 0 where it must be.

    Raises
    ------
    OptionError
        Saying what was given.
    """
    variance = number(name, value)
    if variance < 0 or (positive and variance == 0):
        raise OptionError(
            f"{name} is {variance:g}; a variance here is {'above' if positive else 'at least'} 0"
        )
    return variance


def check_probability(name: str, value: ArrayLike) -> float:
    """A probability inside (0, 1).

    Raises
    ------
    OptionError
        Saying what was given.
    """
    probability = number(name, value)
    if not 0 < probability < 1:
        raise OptionError(f"{name} is {probability:g}; it lies between 0 and 1, 0.05 and not 5")
    return probability


def floats(name: str, values: ArrayLike) -> Array:
    """Values as finite floats in their shape.

    Raises
    ------
    DataError
        For text, missing or infinite values.
    """
    try:
        array = np.asarray(values, dtype=float)
    except (TypeError, ValueError) as error:
        raise DataError(f"{name} isn't numeric: {error}") from None
    if not np.isfinite(array).all():
        raise DataError(
            f"{name} has {np.sum(~np.isfinite(array))} missing or infinite values; leave them out"
        )
    return array

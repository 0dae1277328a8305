"""What an expression comes to: numbers are float64, comparisons are truth values, factors are their labels.

A value is an array with one element a row or one value for all rows: float64, bool, or text (objects); a
coded factor; or whatever a function makes for another.
"""

import operator
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bayeslmm.spec.factors import Coded, labels_of

TRUTH = ("False", "True")


def unpacked(value: Any) -> Any:
    """A factor's labels, or its truth values where those are its levels; anything else as it is."""
    if not isinstance(value, Coded):
        return value
    if is_truth(value):
        return np.array([level == "True" for level in value.coding.levels])[value.codes]
    return np.array(value.coding.levels, dtype=object)[value.codes]


def is_truth(value: Coded) -> bool:
    return set(value.coding.levels) <= set(TRUTH)


def is_text(value: Any) -> bool:
    return isinstance(value, str) or (isinstance(value, np.ndarray) and value.dtype.kind in "OUS")


def number(value: Any) -> Any:
    """A value as float64.

    Raises
    ------
    TypeError
        When it is text, or no value at all.
    """
    value = unpacked(value)
    if is_text(value):
        raise TypeError("text stands where a number is needed")
    if not isinstance(value, np.ndarray | np.generic | float | int):
        raise TypeError(f"{_kind(value)} stands where a number is needed")
    return np.asarray(value, dtype=np.float64)[()]


def truth(value: Any) -> Any:
    value = unpacked(value)
    return value if getattr(value, "dtype", None) == np.bool_ else number(value) != 0


def _kind(value: Any) -> str:
    if isinstance(value, tuple):
        return "a list"
    return "a matrix of several columns" if isinstance(value, Mapping) else f"{type(value).__name__}"


def equal(left: Any, right: Any) -> Any:
    """Where two values are equal; a text equals a number that is written so."""
    left, right = unpacked(left), unpacked(right)
    if is_text(left) or is_text(right):
        return np.asarray(_texts(left) == _texts(right))[()]
    return np.asarray(number(left) == number(right))[()]


def _texts(value: Any) -> Any:
    if isinstance(value, str):
        return np.asarray(value, dtype=object)
    flat = np.asarray(value)
    return np.array(labels_of(flat.ravel()), dtype=object).reshape(flat.shape)


def among(left: Any, right: Any) -> Any:
    """Where a value is one of several."""
    several = right if isinstance(right, tuple) else (right,)
    return np.logical_or.reduce([equal(left, one) for one in several])


type Operation = Callable[[Any, Any], Any]


def _of_numbers(operation: Operation) -> Operation:
    return lambda left, right: operation(number(left), number(right))


BINARY: Mapping[str, Operation] = {
    "+": _of_numbers(operator.add),
    "-": _of_numbers(operator.sub),
    "*": _of_numbers(operator.mul),
    "/": _of_numbers(np.divide),
    "%%": _of_numbers(np.mod),
    "%/%": _of_numbers(np.floor_divide),
    "**": _of_numbers(np.power),
    "<": _of_numbers(operator.lt),
    "<=": _of_numbers(operator.le),
    ">": _of_numbers(operator.gt),
    ">=": _of_numbers(operator.ge),
    "==": equal,
    "!=": lambda left, right: ~equal(left, right),
    "%in%": among,
    "&": lambda left, right: truth(left) & truth(right),
    "|": lambda left, right: truth(left) | truth(right),
}
UNARY: Mapping[str, Callable[[Any], Any]] = {
    "-": lambda value: -number(value),
    "+": number,
    "!": lambda value: ~truth(value),
}


def plain(value: Any) -> Any:
    """What a function gave, integers as float64."""
    if isinstance(value, np.ndarray | np.generic) and value.dtype.kind in "iuf":
        return np.asarray(value, dtype=np.float64)[()]
    return value


def whole(value: Any) -> Any:
    """A single whole number as the int that functions count with, anything else as it is."""
    if not isinstance(value, float | np.floating) or not float(value).is_integer():
        return value
    return int(value) if abs(float(value)) < 2**53 else value


def columns_of(value: Any) -> "Mapping[Any, NDArray[np.float64]] | None":
    """A matrix of several columns by name, None for what isn't one."""
    names = getattr(getattr(value, "__formulaic_metadata__", None), "column_names", None)
    inner: Any = getattr(value, "__wrapped__", value)
    if isinstance(inner, Mapping):
        return {name: number(column) for name, column in inner.items()}
    if getattr(inner, "ndim", 0) == 2:
        return dict(zip(names or range(1, inner.shape[1] + 1), number(inner).T, strict=True))
    return None

"""Contrasts of means: pairs, comparisons with a reference, or weights of one's own, within each group."""

from collections.abc import Mapping
from typing import Any, Literal, get_args

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from bayeslmm.errors import OptionError, check_choice

from .given import floats
from .grid import Functions

type Array = NDArray[np.float64]
type ContrastWord = Literal["pairwise", "reference"]
type Contrasts = ContrastWord | Mapping[str, ArrayLike] | ArrayLike | pd.DataFrame

KINDS = get_args(ContrastWord.__value__)


def contrasts(functions: Functions, kind: Contrasts) -> Functions:
    """Contrasts of means within each group.

    Parameters
    ----------
    kind : "pairwise" (each less each later one), "reference" (each less the first), or rows of weights, one a
        mean of the group: a matrix, a DataFrame, or a mapping from a contrast's name.

    Raises
    ------
    OptionError
        For an unknown kind, weights of the wrong number, or a group of one mean.
    """
    parts = [_of_group(functions, key, places, kind) for key, places in functions.groups]
    index = pd.MultiIndex.from_tuples(
        [label for labels, _ in parts for label in labels], names=[*functions.group_names, "contrast"]
    )
    plain = index if functions.n_by else index.get_level_values(0)
    return functions.combined(np.vstack([weights for _, weights in parts]), plain)


def _of_group(
    functions: Functions, key: tuple[Any, ...], places: NDArray[np.intp], kind: Any
) -> tuple[list[tuple[Any, ...]], Array]:
    labels = [functions.own_labels[place] for place in places]
    names, rows = _rows_of(kind, labels)
    weights = np.zeros((len(names), len(functions.index)))
    weights[:, places] = rows
    return [(*key, name) for name in names], weights


def _rows_of(kind: Any, labels: list[str]) -> tuple[list[str], Array]:
    """Names and weights (k, means) of the contrasts of one group."""
    if isinstance(kind, str):
        return _known(check_choice("contrasts", kind, KINDS), labels)
    if isinstance(kind, Mapping):
        return list(map(str, kind)), _checked(list(kind.values()), labels)
    rows = _checked(kind, labels)
    if isinstance(kind, pd.DataFrame):
        return list(map(str, kind.index)), rows
    return [_spelled(row, labels) for row in rows], rows


def _known(kind: str, labels: list[str]) -> tuple[list[str], Array]:
    m = len(labels)
    if m < 2:
        raise OptionError(f"there is one mean, {labels[0]!r}; contrasts need two: name a factor, or at=")
    first, second = np.triu_indices(m, 1)
    pairs = np.eye(m)[first] - np.eye(m)[second]
    if kind == "reference":
        first, second, pairs = second[: m - 1], first[: m - 1], -pairs[: m - 1]
    return [f"{labels[i]} - {labels[j]}" for i, j in zip(first, second, strict=True)], pairs


def _checked(given: Any, labels: list[str]) -> Array:
    rows = np.atleast_2d(floats("contrasts", given))
    if (
        rows.ndim != 2
        or rows.shape[1] != len(labels)
        or not np.isfinite(rows).all()
        or not rows.any(axis=1).all()
    ):
        raise OptionError(
            f"contrasts have shape {rows.shape}; each needs {len(labels)} finite weights, not all 0, one a "
            f"mean: {', '.join(labels)}"
        )
    return rows


def _spelled(row: Array, labels: list[str]) -> str:
    parts = [f"{weight:+g}*{label}" for weight, label in zip(row, labels, strict=True) if weight]
    return " ".join(parts).replace("+1*", "+").replace("-1*", "-").lstrip("+")

"""The first pass: which levels there are and which occur together, what is missing, and a spread of rows."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bayeslmm.errors import DataError
from bayeslmm.spec import checks
from bayeslmm.spec.factors import sorted_values, told_apart

type Codes = NDArray[np.int64]
type Columns = tuple[str, ...]

SAMPLE = 8192  # rows kept, up to twice as many


@dataclass(frozen=True, slots=True)
class Question:
    """What the census asks.

    Attributes
    ----------
    complete : columns that have no missing value in a row that is used. factors : columns whose levels are
        wanted. shown : factors of the formula, of each level of which the sample holds a row.
    together : sets of factors whose combinations are wanted.
    """

    complete: Columns
    factors: Columns
    shown: Columns
    together: tuple[Columns, ...]


@dataclass(frozen=True, slots=True)
class Values:
    """Values of one column, each once.

    Attributes
    ----------
    index : the values, in order of appearance or a category's own. categories : of a categorical column,
        used or not; None for any other, or where they differ between chunks. ordered : of categories.
    """

    index: pd.Index
    categories: pd.Index | None
    ordered: bool


@dataclass(frozen=True, slots=True, eq=False)
class Census:
    """What some rows answer.

    Attributes
    ----------
    n_given, n : rows, and those used. missing : missing values by column. values : by factor.
    combinations : (m, number of factors) positions in `values`, each row once.
    sample : rows used, every `stride`-th. firsts : a row for each level of the factors to be shown.
    """

    n_given: int
    n: int
    missing: Mapping[str, int]
    values: Mapping[str, Values]
    combinations: Mapping[Columns, Codes]
    sample: pd.DataFrame
    stride: int
    firsts: pd.DataFrame


def take(question: Question, frame: pd.DataFrame) -> Census:
    """The census of one frame."""
    missing = {name: frame[name].isna().to_numpy() for name in question.complete}
    gone = np.logical_or.reduce([np.zeros(len(frame), dtype=bool), *missing.values()])
    used = frame[~gone] if gone.any() else frame
    codes, values = {}, {}
    for name in question.factors:
        codes[name], values[name] = _values(used[name])
    combinations = {names: distinct(np.stack([codes[n] for n in names], 1)) for names in question.together}
    stride = max(1, len(used) // SAMPLE)
    counts = {name: int(own.sum()) for name, own in missing.items()}
    return Census(
        n_given=len(frame),
        n=len(used),
        missing=counts,
        values=values,
        combinations=combinations,
        sample=used.iloc[::stride].copy(),  # a view would keep the whole frame
        stride=stride,
        firsts=_firsts([used], question.shown),
    )


def merge(question: Question, a: Census, b: Census) -> Census:
    """The census of the rows of both."""
    values, moved = {}, {}
    for name in question.factors:
        values[name], moved[name] = _union(name, a.values[name], b.values[name])
    combinations = {
        names: distinct(np.vstack([a.combinations[names], _moved(b.combinations[names], names, moved)]))
        for names in question.together
    }
    sample, stride = _thinned(a, b)
    return Census(
        n_given=a.n_given + b.n_given,
        n=a.n + b.n,
        missing={name: count + b.missing[name] for name, count in a.missing.items()},
        values=values,
        combinations=combinations,
        sample=sample,
        stride=stride,
        firsts=_firsts([a.firsts, b.firsts], question.shown),
    )


def _values(column: pd.Series) -> tuple[Codes, Values]:
    if isinstance(column.dtype, pd.CategoricalDtype):
        categories = column.cat.categories
        used, codes = np.unique(column.cat.codes.to_numpy(), return_inverse=True)
        return codes, Values(categories[used], categories, bool(column.cat.ordered))
    checks.check_grouping_column(str(column.name), column)
    codes, index = pd.factorize(column)
    return codes.astype(np.int64), Values(pd.Index(index), None, False)


def _union(name: str, a: Values, b: Values) -> tuple[Values, Codes]:
    """The values of both, those of the first first; and where in them the second's are."""
    same = a.categories is not None and b.categories is not None and a.categories.equals(b.categories)
    if (a.ordered or b.ordered) and not same:
        raise DataError(
            f"the ordered categories of {name!r} differ between chunks, so their order is unknown; store the "
            "same categories everywhere"
        )
    new = b.index[a.index.get_indexer(b.index) < 0]
    index = a.index.append(new) if len(new) else a.index
    return Values(index, a.categories if same else None, a.ordered), index.get_indexer(b.index).astype(
        np.int64
    )


def _moved(codes: Codes, names: Columns, moved: Mapping[str, Codes]) -> Codes:
    return np.stack([moved[name][codes[:, place]] for place, name in enumerate(names)], axis=1)


def distinct(codes: Codes) -> Codes:
    """The rows that differ, (m, k) to (m', k)."""
    rows = codes[:, 0]
    for column in codes.T[1:]:  # numbered anew before each further column, so that no number overflows
        rows = np.unique(rows, return_inverse=True)[1] if codes.shape[1] > 2 else rows
        rows = rows * (int(column.max(initial=0)) + 1) + column
    first = np.unique(rows, return_index=True)[1]
    return codes[first]


def _thinned(a: Census, b: Census) -> tuple[pd.DataFrame, int]:
    stride = max(a.stride, b.stride)
    sample = pd.concat([part.sample.iloc[:: stride // part.stride or 1] for part in (a, b)])
    while len(sample) > 2 * SAMPLE:
        sample, stride = sample.iloc[::2], 2 * stride
    return sample, stride


def _firsts(frames: Iterable[pd.DataFrame], shown: Columns) -> pd.DataFrame:
    """A row for each level of each factor."""
    frame = pd.concat(list(frames))
    keep = np.zeros(len(frame), dtype=bool)
    for name in shown:
        keep |= ~frame[name].duplicated().to_numpy()
    return frame[keep]


@dataclass(frozen=True, eq=False)
class Levels:
    """The levels of one column over all rows.

    Attributes
    ----------
    values : as they are in the data, in the order of the levels. places : the level of each; values with one
        label are one level. labels : of the levels. ordered : of categories.
    """

    values: pd.Index
    places: Codes
    labels: tuple[str, ...]
    ordered: bool

    @classmethod
    def of(cls, found: Values) -> "tuple[Levels, Codes]":
        """Levels in order, categories in their own, anything else sorted; and where in it each value went."""
        if found.categories is not None:
            place = found.categories.get_indexer(found.index)
            order = np.argsort(place)
        else:
            order = np.argsort(sorted_values(pd.Series(found.index))[0], kind="stable")
        values = found.index[order]
        places, labels = told_apart(np.arange(len(order)), values)
        new = np.empty(len(order), dtype=np.int64)
        new[order] = places
        return cls(values, places, tuple(labels), found.ordered), new

    def codes(self, column: "pd.Series[Any]") -> Codes:
        """The level of each row."""
        if isinstance(column.dtype, pd.CategoricalDtype):
            found = self.values.get_indexer(column.cat.categories)[column.cat.codes.to_numpy()]
        else:
            found = self.values.get_indexer(pd.Index(column))
        return np.append(self.places, -1)[found]

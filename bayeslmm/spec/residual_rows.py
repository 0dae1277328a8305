"""From columns of a table to the residual's rows: what correlation= and variance= learn of them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bayeslmm.errors import DataError

from . import checks
from .factors import Grouping, factor_of, recode, unseen_level
from .residual import CorrelationStructure, Form, Learnt, Part, Structured, VarianceFunction
from .residual.correlations import Counts
from .residual.variances import FITTED, Reads
from .residual_checks import (
    check_coordinates,
    check_levels,
    check_repeats,
    check_start,
    check_strata,
    check_visits,
    typical,
)
from .residual_levels import Levels

type Array = NDArray[np.float64]
type Codes = NDArray[np.int64]
type Columns = Mapping[str, pd.Series]


def columns_of(
    correlation: CorrelationStructure | None, variances: tuple[VarianceFunction, ...]
) -> dict[str, str]:
    """The columns that structures read, and what each is."""
    named: list[tuple[CorrelationStructure | VarianceFunction, str]] = []
    if correlation is not None:
        named.append((correlation, "column of the correlation"))
    named += [(each, "column of the variance") for each in variances]
    return {
        name: role
        for structure, role in named
        for name in (*_form_columns(structure), *([structure.by] if structure.by else []))
    }


def _form_columns(structure: CorrelationStructure | VarianceFunction) -> tuple[str, ...]:
    """Of its form; a function of fitted values has none."""
    return Form.read(structure.form).columns if structure.form or not _of_fitted(structure) else ()


def _of_fitted(structure: CorrelationStructure | VarianceFunction) -> bool:
    return isinstance(structure, VarianceFunction) and structure.of == FITTED


def _numbers(name: str, values: pd.Series) -> Array:
    checks.check_finite(name, found := checks.numbers(name, values), np.arange(len(values)))
    return found


@dataclass(frozen=True, eq=False)
class Coordinate:
    """One column on the left side of a correlation: numbers, or levels that count by their place.

    Attributes
    ----------
    name : the column. factor : its levels, None where its numbers count.
    """

    name: str
    factor: tuple[str, ...] | None

    @classmethod
    def learn(cls, structure: CorrelationStructure, name: str, values: pd.Series) -> Self:
        """What a structure makes of a column.

        Raises
        ------
        DataError
            When it counts by whole numbers and there are others, or a distance is asked of levels.
        """
        is_factor = checks.is_factor(name, values)
        if structure.counts is Counts.DISTANCE:
            if is_factor:
                raise DataError(
                    f"{structure.keyword} goes by distances, and {name!r} is a factor; give a column "
                    "of numbers, or "
                    "take AR1, which counts levels"
                )
            return cls(name, None)
        numbers = None if is_factor else _numbers(name, values)
        if numbers is not None and not np.array_equal(numbers, np.round(numbers)):
            odd = numbers[numbers != np.round(numbers)][0]
            raise DataError(
                f"{structure.keyword} counts whole steps of {name!r}, which is {odd:g} in some row; "
                "take CAR1 for "
                "times that aren't on a grid, or make it a factor, whose levels count by their place"
            )
        by_level = is_factor or structure.counts is Counts.LEVELS
        return cls(name, factor_of(values).levels if by_level else None)

    def of_rows(self, values: pd.Series) -> Array:
        """(m,) of rows."""
        if self.factor is None:
            return _numbers(self.name, values)
        codes = recode(values, self.factor)
        if (codes < 0).any():
            raise unseen_level(self.name, values, codes, self.factor)
        return codes.astype(np.float64)


@dataclass(frozen=True, eq=False)
class CorrelationRows:
    """What a correlation learnt of the rows.

    Attributes
    ----------
    part : the structure, and what it needs to know. groups, strata : None where there is one of them.
    coordinates : of the left side; none where rows count in their order. last : of these, (G,) rows of
    each group.
    """

    part: Part[CorrelationStructure]
    groups: Grouping | None
    strata: Grouping | None
    coordinates: tuple[Coordinate, ...]
    last: Codes

    @classmethod
    def learn(
        cls, structure: CorrelationStructure, columns: Columns, n: int
    ) -> tuple[Self, dict[str, Array]]:
        """What there is to know, and the rows."""
        form = Form.read(structure.form)
        groups, strata = Levels.learn(form.groups, columns, n), _strata(structure, columns, n)
        check_strata(structure, groups, strata)
        names = () if structure.counts is Counts.NOTHING else form.coordinates
        check_coordinates(structure, names)
        coordinates = tuple(Coordinate.learn(structure, name, columns[name]) for name in names)
        at = [each.of_rows(columns[each.name]) for each in coordinates] or [_place_in_group(groups.codes)]
        if coordinates and not structure.repeats:
            check_repeats(structure, groups, np.column_stack(at), names)
        if structure.by_pair and coordinates and coordinates[0].factor:
            check_visits(structure, names[0], coordinates[0].factor, at[0])
        most = int(np.bincount(groups.codes).max())
        learnt = Learnt(
            name=names[0] if names else "row",
            levels=coordinates[0].factor or () if coordinates else tuple(str(i + 1) for i in range(most)),
            scale=typical(np.column_stack(at), groups.codes) if structure.counts is Counts.DISTANCE else 1.0,
            most=most,
            strata=strata.labels,
        )
        own = cls(
            Part(structure, learnt), groups.grouping, strata.grouping, coordinates, np.bincount(groups.codes)
        )
        return own, _data(groups.codes, strata.codes, [] if structure.counts is Counts.NOTHING else at)

    def of_rows(self, frame: pd.DataFrame) -> dict[str, Array]:
        """New rows; a group that nobody has seen has a number of its own, rows that count in order "
        "come last."""
        m = len(frame)
        groups = np.zeros(m, dtype=np.int64) if self.groups is None else _with_new(self.groups, frame)
        strata = np.zeros(m, dtype=np.int64) if self.strata is None else self.strata.codes(frame)
        if (strata < 0).any():
            raise DataError(f"{self.part.structure.by!r} has a level in the new rows that wasn't fitted")
        at = [each.of_rows(frame[each.name]) for each in self.coordinates] or [
            _place_in_group(groups) + np.append(self.last, np.zeros(m, dtype=np.int64))[groups]
        ]
        return _data(groups, strata, [] if self.part.structure.counts is Counts.NOTHING else at)


@dataclass(frozen=True, eq=False)
class VarianceRows:
    """What a variance function learnt of the rows; named as in `CorrelationRows`."""

    part: Part[VarianceFunction]
    levels: Grouping | None
    strata: Grouping | None

    @classmethod
    def learn(
        cls, structure: VarianceFunction, columns: Columns, n: int, fitted: Callable[[], Array]
    ) -> tuple[Self, tuple[Array, Array]]:
        """What there is to know, and the rows: values and strata; `fitted` makes first fitted values (n,)."""
        if structure.of == FITTED:
            return cls._of_numbers(structure, FITTED, fitted(), columns)
        names = Form.read(structure.form.replace(":", "+").removeprefix("1 |")).coordinates
        if structure.reads is Reads.LEVELS:
            return cls._of_levels(structure, names, columns, n)
        return cls._of_numbers(structure, names[0], _numbers(names[0], columns[names[0]]), columns)

    @classmethod
    def _of_numbers(
        cls, structure: VarianceFunction, name: str, values: Array, columns: Columns
    ) -> tuple[Self, tuple[Array, Array]]:
        n, strata = len(values), _strata(structure, columns, len(values))
        structure.check(name, values)
        size = np.exp(np.mean(np.log(np.abs(values)))) if structure.reads is Reads.NONZERO else np.std(values)
        learnt = Learnt(name, (), float(size) or 1.0, n, strata.labels)
        return cls(Part(structure, learnt), None, strata.grouping), (values, strata.codes.astype(float))

    @classmethod
    def _of_levels(
        cls, structure: VarianceFunction, names: tuple[str, ...], columns: Columns, n: int
    ) -> tuple[Self, tuple[Array, Array]]:
        """A stratum's levels are levels of their own: the first of all is σ's."""
        found = Levels.learn((*names, *([structure.by] if structure.by else [])), columns, n)
        assert found.grouping is not None
        labels = _with_strata(found.grouping) if structure.by else found.labels
        check_levels(structure, ":".join(names), labels)
        for label, count in zip(labels, np.bincount(found.codes).tolist(), strict=True):
            if count < 2:
                raise DataError(
                    f"{structure.keyword}: level {label!r} of {':'.join(names)!r} has one row, which "
                    "tells no standard "
                    "deviation; put it together with another level, or leave it out"
                )
        learnt = Learnt(":".join(names), labels, 1.0, n)
        return cls(Part(structure, learnt), found.grouping, None), (found.codes.astype(float), np.zeros(n))

    def of_rows(self, frame: pd.DataFrame) -> tuple[Array, Array]:
        """New rows."""
        learnt = self.part.learnt
        if self.levels is not None:
            codes = self.levels.codes(frame)
            if (codes < 0).any():
                raise DataError(f"{learnt.name!r} has a level in the new rows whose variance isn't known")
            return codes.astype(float), np.zeros(len(frame))
        if self.part.structure.of == FITTED:
            raise DataError(
                "the variance of a new observation is a function of its own fitted value here; ask for "
                "interval='confidence'"
            )
        strata = np.zeros(len(frame)) if self.strata is None else self.strata.codes(frame)
        values = _numbers(learnt.name, frame[learnt.name])
        self.part.structure.check(learnt.name, values)
        return values, strata.astype(float)


@dataclass(frozen=True, eq=False)
class ResidualRows:
    """How rows become a residual with structure.

    Attributes
    ----------
    correlation : None where rows are independent. variances : whose product is the spread.
    """

    correlation: CorrelationRows | None
    variances: tuple[VarianceRows, ...]

    @property
    def columns(self) -> dict[str, str]:
        """What it reads, and what each is."""
        own = None if self.correlation is None else self.correlation.part.structure
        return columns_of(own, tuple(each.part.structure for each in self.variances))

    def of_rows(self, frame: pd.DataFrame) -> dict[str, Array]:
        """The residual's data of new rows."""
        data = {} if self.correlation is None else self.correlation.of_rows(frame)
        for number, each in enumerate(self.variances):
            data |= _variance_data(number, *each.of_rows(frame))
        return data


def learn(
    correlation: CorrelationStructure | None,
    variances: tuple[VarianceFunction, ...],
    columns: Columns,
    weights: Mapping[str, Array],
    n: int,
    fitted: Callable[[], Array],
    sigma: float | None,
) -> tuple[ResidualRows, Structured]:
    """The residual of n rows, and how it is made of others.

    Parameters
    ----------
    fitted : makes first fitted values (n,), of least squares.

    Raises
    ------
    DataError
        When the rows can't have this structure.
    """
    own: CorrelationRows | None = None
    data: dict[str, Array] = dict(weights)
    if correlation is not None:
        own, rows = CorrelationRows.learn(correlation, columns, n)
        data |= rows
    spreads = []
    for number, structure in enumerate(variances):
        spread, values = VarianceRows.learn(structure, columns, n, fitted)
        spreads.append(spread)
        data |= _variance_data(number, *values)
    parts = tuple(each.part for each in spreads)
    residual = Structured(n, sigma, data, None, None if own is None else own.part, parts)
    for part in residual.parts:
        part.structure.given(part.learnt)
    check_start(residual)
    return ResidualRows(own, tuple(spreads)), residual


def _data(groups: Codes, strata: Codes, at: list[Array]) -> dict[str, Array]:
    own = {"group": groups.astype(float), "stratum": strata.astype(float)}
    return own | {f"coordinate {place}": values for place, values in enumerate(at)}


def _variance_data(number: int, values: Array, strata: Array) -> dict[str, Array]:
    return {f"values {number}": values, f"stratum {number}": strata}


def _strata(structure: CorrelationStructure | VarianceFunction, columns: Columns, n: int) -> Levels:
    return Levels.learn((structure.by,) if structure.by else (), columns, n)


def _with_strata(grouping: Grouping) -> tuple[str, ...]:
    """Labels of combinations whose last column is a stratum: ``VIS1 | PBO``."""
    shape = [len(levels) for levels in grouping.parts]
    index = zip(*np.unravel_index(grouping.cells, shape), strict=True)
    words = ([levels[code] for levels, code in zip(grouping.parts, own, strict=True)] for own in index)
    return tuple(f"{':'.join(own[:-1])} | {own[-1]}" for own in words)


def _with_new(grouping: Grouping, frame: pd.DataFrame) -> Codes:
    codes = grouping.codes(frame)
    unseen = np.flatnonzero(codes < 0)
    if len(unseen):
        keys = pd.MultiIndex.from_frame(frame.iloc[unseen][list(grouping.columns)].map(str))
        codes = codes.copy()
        codes[unseen] = len(grouping.levels) + pd.factorize(keys)[0]
    return codes


def _place_in_group(groups: Codes) -> Array:
    """(n,) 0, 1, ... of each row in its group, in the order of rows."""
    order = np.argsort(groups, kind="stable")
    sizes = np.bincount(groups)
    out = np.empty(len(groups))
    out[order] = np.arange(len(groups)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    return out

"""The recipe: all that was learnt from the data about making columns, to be replayed on new rows."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from bayeslmm.errors import DataError, check_choice

from .checks import as_frame, check_columns, check_computed, check_weights, number_column, numbers
from .factors import Coded, Coding, Grouping, recode, unseen_level
from .given import row_values
from .materialize import replay
from .model_spec import ModelSpec
from .plain import Learnt, Part
from .residual_rows import ResidualRows

type Array = NDArray[np.float64]
type Codes = NDArray[np.int64]

OUTCOME = "outcome"  # the part that is the response
GROUPING = "grouping factor"  # what a column of new rows is for
WITHOUT = "; without it, random='none' predicts for the population"


class Origin(NamedTuple):
    """What a design was built of: the specification as it was written, and the rows given."""

    spec: ModelSpec
    frame: pd.DataFrame


class FixedTerm(NamedTuple):
    """A term of the fixed part: its factors, and the columns of X (dropped ones left out) it makes."""

    name: str
    factors: tuple[str, ...]
    columns: tuple[int, ...]


class BlockRows(NamedTuple):
    """What new rows ask of one grouping factor.

    Attributes
    ----------
    columns : (m, k) left-hand columns
    codes : (m,) the level of each row, -1 for one that wasn't seen
    """

    columns: Array
    codes: Codes


class NewRows(NamedTuple):
    """The design of new rows.

    Attributes
    ----------
    X : (m, p)
    offset : (m,) of the formula's offsets; zeros if none
    blocks : by grouping factor
    rows : (m,) positions in the new data of the complete rows; the others can't be predicted
    dropped : (m, d) columns that aren't in X because they depend on those that are
    """

    X: Array
    offset: Array
    blocks: dict[str, BlockRows]
    rows: Codes
    dropped: Array


@dataclass(frozen=True, slots=True)
class Apart:
    """One number a row that isn't in the formula: the model's `offset=` or `weights=`.

    Attributes
    ----------
    what : "offset" or "weights". column : the one it is, or None. values : whether it came as values instead.
    """

    what: str
    column: str | None = None
    values: bool = False

    @classmethod
    def of(cls, what: str, given: str | ArrayLike | None) -> "Apart":
        """As the model was given it."""
        column = given if isinstance(given, str) else None
        return cls(what, column, given is not None and column is None)

    def of_rows(self, frame: pd.DataFrame, values: str | ArrayLike | None = None) -> Array:
        """(m,) at new rows, NaN where missing.

        Parameters
        ----------
        values : a column or values for these rows; None for the model's own column.

        Raises
        ------
        DataError
            When these rows have none though the model's were values, or what there is isn't numbers.
        """
        source = (self.column or self._neutral()) if values is None else values
        if isinstance(source, str):
            return self._column(source, frame)
        each = np.full(len(frame), source) if np.ndim(source) == 0 else source
        return self._checked(row_values(self.what, each, frame.index))

    def _neutral(self) -> float:
        """What counts where the model has none."""
        if self.values:
            raise DataError(
                f"the model's {self.what} came as values, so new rows need their own: give {self.what}= one "
                f"value a row here, or name a column in the model, {self.what}='...'"
            )
        return float(self.what == "weights")

    def _column(self, name: str, frame: pd.DataFrame) -> Array:
        if name not in frame:
            raise DataError(
                f"the column {name!r} of the {self.what} isn't in the new rows; add it, or give {self.what}= "
                "one value a row"
            )
        check_columns({name: self.what}, frame.columns)
        return self._checked(number_column(self.what, frame[name]))

    def _checked(self, values: Array) -> Array:
        if self.what == "weights":
            check_weights(values[~np.isnan(values)])
        return values


@dataclass(frozen=True, eq=False)
class Recipe:
    """How rows become a design.

    Attributes
    ----------
    trained : formulaic's trained specifications: "outcome", "fixed", "offset_0", ..., "bar_0", ...
    variables : the columns each of them asks for
    codings : the formula's factors
    kept : (p,) columns of the fixed part that are in X
    terms : terms of the fixed part
    groupings : grouping factors in formula order
    bars : for each grouping factor, the names of its bars
    offset, weights : what the model was given beside its formula
    fitted : the formula's columns at the fitted rows: codes of a factor, else numbers
    residual : how rows get correlations and variances, where the model has such
    origin : what the design was built of; None where that isn't kept: rows read in chunks, another response
    """

    trained: Mapping[str, Learnt]
    variables: Mapping[str, tuple[str, ...]]
    codings: Mapping[str, Coding]
    kept: NDArray[np.intp]
    terms: tuple[FixedTerm, ...]
    groupings: tuple[Grouping, ...]
    bars: tuple[tuple[str, ...], ...]
    offset: Apart = Apart("offset")
    weights: Apart = Apart("weights")
    fitted: Mapping[str, NDArray[Any]] = field(default_factory=dict, repr=False)
    residual: ResidualRows | None = field(default=None, repr=False)
    origin: Origin | None = field(default=None, repr=False)

    def __getstate__(self) -> dict[str, Any]:
        return {**vars(self), "origin": None}  # the data stay where they are

    @property
    def functions(self) -> tuple[str, ...]:
        """Names of the user's functions that the formula calls."""
        return tuple(sorted({name for part in self.trained.values() for name in part.functions}))

    @property
    def fixed_variables(self) -> tuple[str, ...]:
        """Columns that the fixed part and the offsets are made of."""
        return tuple(self._names(self._parts([])))

    @property
    def levelled(self) -> frozenset[str]:
        """Columns of numbers whose values are levels in the fixed part."""
        return self.trained["fixed"].levelled

    def replay(self, data: Any, groups: Iterable[str] | None = None) -> NewRows:
        """The design of new rows, needing the columns only of what is asked.

        Parameters
        ----------
        data : new rows; the response isn't needed
        groups : grouping factors wanted, all if None

        Raises
        ------
        DataError
            When a column isn't there, a factor of the formula has a level that wasn't in the fitted data, or
            a term isn't a finite number, or too large.
        OptionError
            When a group isn't the model's.
        """
        wanted = self._wanted(groups)
        parts = self._parts(wanted)
        frame = as_frame(data)
        check_columns(self._roles(parts, wanted), frame.columns, {GROUPING: WITHOUT})
        rows = _complete_rows(frame, self._names(parts))
        frame = frame.iloc[rows]
        made = self._made(parts, self._values(frame, parts), rows)
        blocks = {
            grouping.name: BlockRows(np.hstack([made[bar].matrix for bar in bars]), grouping.codes(frame))
            for grouping, bars in wanted
        }
        return self._new_rows(made, blocks, rows)

    def fixed_part(self, columns: Mapping[str, NDArray[Any]], n: int) -> NewRows:
        """The fixed part at n rows of the formula's columns, given as in `fitted`."""
        parts = self._parts([])
        variables = coded({name: columns[name] for name in self._names(parts)}, self.codings)
        rows = np.arange(n)
        return self._new_rows(self._made(parts, variables, rows), {}, rows)

    def outcome(self, data: Any, rows: Codes) -> Array:
        """(m,) the response at some of new rows, NaN where missing.

        Raises
        ------
        DataError
            When a column of the response isn't there or no number.
        """
        frame = as_frame(data)
        names = self.variables[OUTCOME]
        check_columns(dict.fromkeys(names, "response"), frame.columns)
        values = {name: number_column("response", frame[name].iloc[rows]) for name in names}
        return replay({OUTCOME: self.trained[OUTCOME]}, values, len(rows))[OUTCOME].matrix[:, 0]

    def _made(self, parts: Iterable[str], variables: Mapping[str, Any], rows: Codes) -> dict[str, Part]:
        made = replay({part: self.trained[part] for part in parts}, variables, len(rows))
        for part in made.values():
            check_computed(part.names, part.matrix, rows)
        return made

    def _new_rows(self, made: Mapping[str, Part], blocks: dict[str, BlockRows], rows: Codes) -> NewRows:
        offsets = (part.matrix[:, 0] for name, part in made.items() if name.startswith("offset"))
        X = made["fixed"].matrix
        left_out = np.setdiff1d(np.arange(X.shape[1]), self.kept)
        return NewRows(X[:, self.kept], sum(offsets, np.zeros(len(rows))), blocks, rows, X[:, left_out])

    def _wanted(self, groups: Iterable[str] | None) -> list[tuple[Grouping, tuple[str, ...]]]:
        names = [grouping.name for grouping in self.groupings]
        chosen = names if groups is None else [check_choice("group", group, names) for group in groups]
        pairs = zip(self.groupings, self.bars, strict=True)
        return [(grouping, bars) for grouping, bars in pairs if grouping.name in chosen]

    def _parts(self, wanted: Iterable[tuple[Grouping, tuple[str, ...]]]) -> list[str]:
        fixed = [part for part in self.trained if part != OUTCOME and not part.startswith("bar")]
        return fixed + [bar for _, bars in wanted for bar in bars]

    def _names(self, parts: Iterable[str]) -> list[str]:
        return list(dict.fromkeys(name for part in parts for name in self.variables[part]))

    def _roles(
        self, parts: Iterable[str], wanted: Iterable[tuple[Grouping, tuple[str, ...]]]
    ) -> dict[str, str]:
        groups = [column for grouping, _ in wanted for column in grouping.columns]
        return dict.fromkeys(self._names(parts), "column") | dict.fromkeys(groups, GROUPING)

    def _values(self, frame: pd.DataFrame, parts: Iterable[str]) -> dict[str, Any]:
        names = dict.fromkeys(name for part in parts for name in self.variables[part])
        return {name: self._value(name, frame[name]) for name in names}

    def _value(self, name: str, values: pd.Series) -> Any:
        if name not in self.codings:
            return numbers(name, values)
        coding = self.codings[name]
        codes = recode(values, coding.levels)
        if (codes < 0).any():
            raise unseen_level(name, values, codes, coding.levels)
        return Coded(coding, codes)


def coded(columns: Mapping[str, NDArray[Any]], codings: Mapping[str, Coding]) -> dict[str, Any]:
    """Columns as formulaic gets them: a factor's codes under its coding, numbers as they are."""
    return {
        name: Coded(codings[name], values) if name in codings else values for name, values in columns.items()
    }


def _complete_rows(frame: pd.DataFrame, names: list[str]) -> Codes:
    if not names:
        return np.arange(len(frame))
    return np.flatnonzero(frame[names].notna().all(axis=1).to_numpy())

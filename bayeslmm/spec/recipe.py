"""The recipe: all that was learnt from the data about making columns, to be replayed on new rows."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bayeslmm.errors import check_choice

from .checks import as_frame, check_columns, numbers
from .factors import Coded, Coding, Grouping, recode, unseen_level
from .materialize import replay

type Array = NDArray[np.float64]
type Codes = NDArray[np.int64]


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
    offset : (m,) of the formula's offsets and an offset column; zeros if none
    blocks : by grouping factor
    rows : (m,) positions in the new data of the complete rows; the others can't be predicted
    """

    X: Array
    offset: Array
    blocks: dict[str, BlockRows]
    rows: Codes


@dataclass(frozen=True, eq=False)
class Recipe:
    """How rows become a design.

    Attributes
    ----------
    trained : formulaic's trained specifications: "fixed", "offset_0", ..., "bar_0", ...
    variables : the columns each of them asks for
    codings : the formula's factors
    kept : (p,) columns of the fixed part that are in X
    terms : terms of the fixed part
    groupings : grouping factors in formula order
    bars : for each grouping factor, the names of its bars
    offset_column : column given as `offset=`
    fitted : the formula's columns at the fitted rows: codes of a factor, else numbers
    """

    trained: Mapping[str, Any]
    variables: Mapping[str, tuple[str, ...]]
    codings: Mapping[str, Coding]
    kept: NDArray[np.intp]
    terms: tuple[FixedTerm, ...]
    groupings: tuple[Grouping, ...]
    bars: tuple[tuple[str, ...], ...]
    offset_column: str | None = None
    fitted: Mapping[str, NDArray[Any]] = field(default_factory=dict, repr=False)

    def replay(self, data: Any, groups: Iterable[str] | None = None) -> NewRows:
        """The design of new rows, needing the columns only of what is asked.

        Parameters
        ----------
        data : new rows; the response isn't needed
        groups : grouping factors wanted, all if None

        Raises
        ------
        DataError
            When a column isn't there, or a factor of the formula has a level that wasn't in the fitted data.
        OptionError
            When a group isn't the model's.
        """
        wanted = self._wanted(groups)
        parts = self._parts(wanted)
        frame = as_frame(data)
        check_columns(self._roles(parts, wanted), frame)
        rows = _complete_rows(frame, self._names(parts))
        frame = frame.iloc[rows]
        made = replay({part: self.trained[part] for part in parts}, self._values(frame, parts), len(rows))
        offset = sum(
            (made[part].matrix[:, 0] for part in parts if part.startswith("offset")), np.zeros(len(rows))
        )
        if self.offset_column is not None:
            offset = offset + frame[self.offset_column].to_numpy(dtype=float)
        blocks = {
            grouping.name: BlockRows(np.hstack([made[bar].matrix for bar in bars]), grouping.codes(frame))
            for grouping, bars in wanted
        }
        return NewRows(made["fixed"].matrix[:, self.kept], offset, blocks, rows)

    def _wanted(self, groups: Iterable[str] | None) -> list[tuple[Grouping, tuple[str, ...]]]:
        names = [grouping.name for grouping in self.groupings]
        chosen = names if groups is None else [check_choice("group", group, names) for group in groups]
        pairs = zip(self.groupings, self.bars, strict=True)
        return [(grouping, bars) for grouping, bars in pairs if grouping.name in chosen]

    def _parts(self, wanted: Iterable[tuple[Grouping, tuple[str, ...]]]) -> list[str]:
        fixed = [part for part in self.trained if not part.startswith("bar")]
        return fixed + [bar for _, bars in wanted for bar in bars]

    def _names(self, parts: Iterable[str]) -> list[str]:
        own = [self.offset_column] if self.offset_column is not None else []
        return list(dict.fromkeys([name for part in parts for name in self.variables[part]] + own))

    def _roles(
        self, parts: Iterable[str], wanted: Iterable[tuple[Grouping, tuple[str, ...]]]
    ) -> dict[str, str]:
        groups = {column: "grouping factor" for grouping, _ in wanted for column in grouping.columns}
        return groups | dict.fromkeys(self._names(parts), "column")

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

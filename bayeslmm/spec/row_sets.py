"""The rows of a design in units that are left out in turn: single rows, or all rows of a level or value."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bayeslmm.errors import DataError, check_choice

from .design import Design
from .factors import factor_of
from .recipe import Recipe

type Codes = NDArray[np.int64]

ROW = "row"


class Batch(NamedTuple):
    """RowSets of one size: their numbers (m,), and their rows (m, s)."""

    units: Codes
    rows: Codes


@dataclass(frozen=True, slots=True, eq=False)
class RowSets:
    """J sets of rows that share no row.

    Attributes
    ----------
    name : "row", a grouping factor or a column. labels : (J,). codes : (n,) the unit of each row.
    """

    name: str
    labels: pd.Index
    codes: Codes

    @classmethod
    def of(cls, design: Design, unit: str, recipe: Recipe | None = None) -> Self:
        """The units of a name.

        Parameters
        ----------
        recipe : whose data the design was built of; their columns are units, too.

        Raises
        ------
        OptionError
            For another name than "row", a grouping factor's or a column's.
        DataError
            When the rows aren't in memory, or the column has no value in one that is used.
        """
        blocks = {block.group: block for block in design.blocks}
        frame = recipe.origin.frame if recipe and recipe.origin else pd.DataFrame()
        known = dict.fromkeys((ROW, *blocks, *map(str, frame.columns)))
        check_choice("a unit is a row, a group with random effects or a column;", unit, known)
        if not design.in_memory:
            raise DataError(
                "the rows aren't in memory, so none can be left out: build the model of a data frame"
            )
        if unit == ROW:
            return cls(unit, design.index, np.arange(design.n))
        if unit in blocks:
            return cls(unit, pd.Index(blocks[unit].levels, name=unit), blocks[unit].codes)
        return cls._of_column(unit, frame[unit].iloc[design.rows])

    @classmethod
    def _of_column(cls, name: str, values: "pd.Series[Any]") -> Self:
        levels, codes, _ = factor_of(values)
        if (codes < 0).any():
            raise DataError(
                f"column {name!r} has no value in {int((codes < 0).sum())} of the rows used: they are in no "
                "unit; fill it in, or leave these rows out of the model"
            )
        return cls(name, pd.Index(levels, name=name), codes)

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def sizes(self) -> Codes:
        """(J,) numbers of rows."""
        return np.bincount(self.codes, minlength=len(self))

    def rows(self, unit: int) -> Codes:
        """The rows of a unit."""
        return np.flatnonzero(self.codes == unit)

    def within(self, codes: Codes) -> bool:
        """Whether each unit lies within one of other sets, whose codes are (n,)."""
        first = np.zeros(len(self), dtype=np.int64)
        first[self.codes] = codes
        return bool((first[self.codes] == codes).all())

    def batches(self) -> Iterator[Batch]:
        """The units by size, so that those of one size are computed together; empty ones are left out."""
        order, sizes = np.argsort(self.codes, kind="stable"), self.sizes
        first = np.cumsum(sizes) - sizes
        for size in np.unique(sizes[sizes > 0]).tolist():
            own = np.flatnonzero(sizes == size)
            yield Batch(own, order[first[own][:, None] + np.arange(size)])

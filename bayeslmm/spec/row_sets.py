"""The rows of a design in units that are left out in turn: single rows, or all rows of a level."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bayeslmm.errors import DataError, check_choice

from .design import Design

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
    name : "row" or a grouping factor. labels : (J,). codes : (n,) the unit of each row.
    """

    name: str
    labels: pd.Index
    codes: Codes

    @classmethod
    def of(cls, design: Design, unit: str) -> "RowSets":
        """The units of a name.

        Raises
        ------
        OptionError
            For another name than "row" or a grouping factor's.
        DataError
            When the rows aren't in memory.
        """
        blocks = {block.group: block for block in design.blocks}
        check_choice("a unit is a row or a group with random effects;", unit, (ROW, *blocks))
        if not design.in_memory:
            raise DataError(
                "the rows aren't in memory, so none can be left out: build the model of a data frame"
            )
        if unit == ROW:
            return cls(unit, design.index, np.arange(design.n))
        return cls(unit, pd.Index(blocks[unit].levels, name=unit), blocks[unit].codes)

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def sizes(self) -> Codes:
        """(J,) numbers of rows."""
        return np.bincount(self.codes, minlength=len(self))

    def rows(self, unit: int) -> Codes:
        """The rows of a unit."""
        return np.flatnonzero(self.codes == unit)

    def batches(self) -> Iterator[Batch]:
        """The units by size, so that those of one size are computed together; empty ones are left out."""
        order, sizes = np.argsort(self.codes, kind="stable"), self.sizes
        first = np.cumsum(sizes) - sizes
        for size in np.unique(sizes[sizes > 0]).tolist():
            own = np.flatnonzero(sizes == size)
            yield Batch(own, order[first[own][:, None] + np.arange(size)])

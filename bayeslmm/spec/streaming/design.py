"""The rows of a design that are elsewhere: their cross-products are here, they come in chunks."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Never

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bayeslmm.errors import DataError
from bayeslmm.kernel.kernel import Kernel
from bayeslmm.spec.block import RowsOfBlock
from bayeslmm.spec.design import Design, RandomPart, RowsInMemory, Scales

from .rows import RowMaker
from .source import Source


def _elsewhere(what: str) -> Never:
    raise DataError(
        f"this needs {what} of all rows at once, and the rows are read in chunks and aren't kept; "
        "fit.fitted_chunks() goes through them, fit.predict(frame) takes rows you give, and a DataFrame that "
        "fits in memory gives everything"
    )


@dataclass(frozen=True, slots=True)
class ColumnsElsewhere(Mapping[str, NDArray[Any]]):
    """Columns of the fitted rows, which nobody kept: their names, where they are known."""

    names: tuple[str, ...] = ()

    def __getitem__(self, name: str) -> Never:
        _elsewhere(f"the column {name!r}")

    def __contains__(self, name: object) -> bool:
        return name in self.names

    def __iter__(self) -> Iterator[str]:
        return iter(self.names)

    def __len__(self) -> int:
        return len(self.names)


class Elsewhere:
    """An attribute of rows that nobody kept: asking for it is one clear error."""

    def __init__(self, what: str) -> None:
        """Take what it is, in words."""
        self.what = what

    def __get__(self, instance: object, owner: type | None = None) -> Never:
        _elsewhere(self.what)


class IncidenceElsewhere:
    """Levels and left-hand columns of rows that nobody kept."""

    codes = Elsewhere("the levels of a grouping factor")
    columns = Elsewhere("the left-hand columns of a bar")


@dataclass(frozen=True, eq=False)
class RowsInChunks:
    """Rows that are elsewhere: what came of reading them once is here.

    Attributes
    ----------
    n : rows used. products : their cross-products. known_scales : means and sds.
    kept : columns of the fixed part that are in X. source : where the rows are. maker : how they are made.
    """

    n: int
    products: Kernel
    known_scales: Scales
    kept: NDArray[np.intp]
    source: Source
    maker: RowMaker

    in_memory: ClassVar[bool] = False
    y = Elsewhere("the response")
    offset = Elsewhere("the offset")
    X = Elsewhere("X")
    rows = Elsewhere("the positions")

    def kernel(self, design: Design) -> Kernel:
        """Their cross-products."""
        del design
        return self.products

    def moving(self, design: Design) -> Never:
        """Their cross-products at any φ: nobody kept the rows."""
        del design
        _elsewhere("the residual's groups")

    def scales(self, design: Design) -> Scales:
        """Means and standard deviations of the columns."""
        del design
        return self.known_scales

    def chunks(self, design: Design) -> Iterator[Design]:
        """The rows in turn, as designs in memory; reads the data again."""
        for frame in self.source.frames(self.maker.columns):
            used = self.maker.used(frame)
            if not used.empty:
                yield self._made(design, used, len(frame) - len(used))

    def _made(self, design: Design, used: pd.DataFrame, n_missing: int) -> Design:
        maker = self.maker
        parts, residual = maker.parts(used), maker.residual(used)
        incidences = map(RowsOfBlock, maker.codes(used), maker.left_sides(parts))
        blocks = [replace(block, incidence=own) for block, own in zip(design.blocks, incidences, strict=True)]
        here = RowsInMemory(
            y=maker.response(parts),
            offset=maker.offsets(used, parts),
            X=np.ascontiguousarray(parts["fixed"].matrix[:, self.kept]),
            rows=used.index.to_numpy(dtype=np.int64),
        )
        random = RandomPart(tuple(blocks), design.covariance)
        return replace(design, observed=here, random=random, residual=residual, n_missing=n_missing)

"""A design whose rows are elsewhere: its cross-products are here, its rows come in chunks."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Never

import numpy as np
from numpy.typing import NDArray

from bayeslmm.errors import DataError
from bayeslmm.kernel.kernel import Kernel
from bayeslmm.spec.covariance import CovarianceStructure
from bayeslmm.spec.design import Block, Design, Scales
from bayeslmm.spec.relative import CovarianceMap
from bayeslmm.spec.residual import PriorWeights, Residual

from .rows import RowMaker
from .source import Source

type Array = NDArray[np.float64]
type Codes = NDArray[np.int64]


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


class StreamedBlock(Block):
    """A block whose rows are elsewhere: `codes` and `columns` raise."""

    __slots__ = ()

    def __init__(
        self,
        group: str,
        levels: tuple[str, ...],
        coefs: tuple[str, ...],
        structures: tuple[CovarianceStructure, ...],
        term_numbers: tuple[int, ...],
        known: Array | None,
    ) -> None:
        """Take everything a block has but its rows."""
        given = {"group": group, "levels": levels, "coefs": coefs, "structures": structures}
        for name, value in (given | {"term_numbers": term_numbers, "known": known}).items():
            object.__setattr__(self, name, value)

    @property
    def codes(self) -> Codes:
        _elsewhere(f"the levels of {self.group!r}")

    @property
    def columns(self) -> Array:
        _elsewhere(f"the left-hand columns of {self.group!r}")

    def with_rows(self, codes: Codes, columns: Array) -> Block:
        """The block of some rows."""
        return Block(
            self.group,
            self.levels,
            codes,
            self.coefs,
            columns,
            self.structures,
            self.term_numbers,
            self.known,
        )

    def __reduce__(self) -> Any:
        given = (self.group, self.levels, self.coefs, self.structures, self.term_numbers, self.known)
        return StreamedBlock, given


@dataclass(frozen=True)
class Contents:
    """What a streamed design knows; names as in `Design`.

    Attributes
    ----------
    n : rows used. kept : columns of the fixed part that are in X. kernel : the cross-products.
    known_scales : means and sds. grams : (k, k) weighted mean of z zᵀ of each block.
    """

    n: int
    coefs: tuple[str, ...]
    dropped: tuple[str, ...]
    kept: NDArray[np.intp]
    blocks: tuple[StreamedBlock, ...]
    n_missing: int
    response: str
    kernel: Kernel
    known_scales: Scales
    grams: tuple[Array, ...]


class StreamedDesign(Design):
    """A design that has been read in chunks.

    Everything that comes from cross-products is as in any design; whatever needs rows raises a DataError that
    says so, but `chunks`, which reads the data again.

    Parameters
    ----------
    contents : what is known. source : where the rows are. maker : how they are made.
    """

    contents: Contents
    source: Source
    maker: RowMaker

    def __init__(self, contents: Contents, source: Source, maker: RowMaker) -> None:
        """Take what the two passes found."""
        values = {"contents": contents, "source": source, "maker": maker, "kernel": contents.kernel}
        same = {
            name: getattr(contents, name) for name in ("coefs", "dropped", "blocks", "n_missing", "response")
        }
        for name, value in (values | same).items():
            object.__setattr__(self, name, value)

    @property
    def n(self) -> int:
        return self.contents.n

    @property
    def in_memory(self) -> bool:
        return False

    @property
    def y(self) -> Array:
        _elsewhere("the response")

    @property
    def offset(self) -> Array:
        _elsewhere("the offset")

    @cached_property
    def residual(self) -> Residual:
        """σ and R; what it takes from the rows raises."""
        data = {} if self.maker.weights is None else ColumnsElsewhere(("weights",))
        return PriorWeights(self.n, self.maker.sigma, data)

    @property
    def X(self) -> Array:
        _elsewhere("X")

    @property
    def rows(self) -> Codes:
        _elsewhere("the positions")

    @cached_property
    def covariance(self) -> CovarianceMap:
        return CovarianceMap.of_grams(self.blocks, self.contents.grams)

    @cached_property
    def scales(self) -> Scales:
        return self.contents.known_scales

    def chunks(self) -> Iterator[Design]:
        """The rows in turn, as designs in memory; reads the data again."""
        for frame in self.source.frames(self.maker.columns):
            used = self.maker.used(frame)
            if used.empty:
                continue
            parts = self.maker.parts(used)
            columns, codes = self.maker.left_sides(parts), tuple(self.maker.codes(used))
            yield Design(
                y=self.maker.response(parts),
                offset=self.maker.offsets(used, parts),
                residual=self.maker.residual(used),
                X=np.ascontiguousarray(parts["fixed"].matrix[:, self.contents.kept]),
                coefs=self.coefs,
                dropped=self.dropped,
                blocks=tuple(
                    block.with_rows(own_codes, own_columns)
                    for block, own_codes, own_columns in zip(
                        self.contents.blocks, codes, columns, strict=True
                    )
                ),
                rows=used.index.to_numpy(dtype=np.int64),
                n_missing=len(frame) - len(used),
                response=self.response,
            )

    def __reduce__(self) -> Any:
        return StreamedDesign, (self.contents, self.source, self.maker)

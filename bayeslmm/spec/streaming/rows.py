"""Frames as rows of a model whose levels, columns and names are settled."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bayeslmm.kernel.problem.streaming import Basis, Chunk, Sums, sums
from bayeslmm.spec import checks
from bayeslmm.spec.factors import Coded, Coding, Grouping
from bayeslmm.spec.materialize import replay
from bayeslmm.spec.plain import Part
from bayeslmm.spec.residual import PriorWeights, Residual

from .census import Levels

type Array = NDArray[np.float64]
type Codes = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class RowMaker:
    """How a frame becomes rows; found in the first pass, used in the second.

    Attributes
    ----------
    columns : of the data that are read. complete : those without a missing value in a row that is used.
    trained : formulaic's specifications of "outcome", "fixed", "offset_0", ..., "bar_0", ...
    variables : columns they ask for. codings, levels : of the factors. groupings, bars : as in a `Recipe`.
    weights, offset : columns given apart, or None. sigma : σ where it is known.
    """

    columns: tuple[str, ...]
    complete: tuple[str, ...]
    trained: Mapping[str, Any]
    variables: tuple[str, ...]
    codings: Mapping[str, Coding]
    levels: Mapping[str, Levels]
    groupings: tuple[Grouping, ...]
    bars: tuple[tuple[str, ...], ...]
    weights: str | None
    offset: str | None
    sigma: float | None

    def used(self, frame: pd.DataFrame) -> pd.DataFrame:
        """The rows with nothing missing."""
        return frame[frame[list(self.complete)].notna().all(axis=1)]

    def parts(self, frame: pd.DataFrame) -> dict[str, Part]:
        """The columns of every part of the formula.

        Raises
        ------
        DataError
            Where one isn't finite, or too large.
        """
        values = {name: self._value(name, frame[name]) for name in self.variables}
        made = replay(self.trained, values, len(frame))
        rows = frame.index.to_numpy()
        for part in made.values():
            checks.check_computed(part.names, part.matrix, rows)
        return made

    def check(self, frame: pd.DataFrame) -> None:
        """Make the columns for the sake of their errors."""
        self.parts(self.used(frame))

    def _value(self, name: str, column: "pd.Series[Any]") -> Any:
        if name not in self.codings:
            values = checks.numbers(name, column)
            checks.check_finite(name, values, column.index.to_numpy())
            return values
        return Coded(self.codings[name], self.levels[name].codes(column))

    def response(self, parts: Mapping[str, Part]) -> Array:
        return parts["outcome"].matrix[:, 0]

    def offsets(self, frame: pd.DataFrame, parts: Mapping[str, Part]) -> Array:
        """The sum of the formula's offsets and the column given apart."""
        own = [part.matrix[:, 0] for name, part in parts.items() if name.startswith("offset")]
        if self.offset is not None:
            own.append(checks.number_column("offset", frame[self.offset]))
        total = sum(own, np.zeros(len(frame)))
        checks.check_finite("offset", total, frame.index.to_numpy())
        return total

    def residual(self, frame: pd.DataFrame) -> Residual:
        """The residual of some rows."""
        if self.weights is None:
            return PriorWeights(len(frame), self.sigma)
        weights = checks.number_column("weights", frame[self.weights])
        checks.check_weights(weights)
        return PriorWeights.of(weights, self.sigma)

    def codes(self, frame: pd.DataFrame) -> Iterator[Codes]:
        """The level of each row, by grouping factor."""
        own = {
            name: self.levels[name].codes(frame[name])
            for grouping in self.groupings
            for name in grouping.columns
        }
        return (grouping.place([own[name] for name in grouping.columns]) for grouping in self.groupings)

    def left_sides(self, parts: Mapping[str, Part]) -> tuple[Array, ...]:
        """Left-hand columns (m, k), by grouping factor."""
        return tuple(np.hstack([parts[bar].matrix for bar in bars]) for bars in self.bars)


@dataclass(slots=True, eq=False)
class Spread:
    """Sums and sums of squares of columns about fixed centres, and whether each ever left its centre."""

    centres: Array
    n: int
    total: Array
    squares: Array
    moved: NDArray[np.bool_]

    @classmethod
    def of(cls, columns: Array, centres: Array) -> "Spread":
        apart = columns - centres
        return cls(centres, len(columns), apart.sum(axis=0), (apart**2).sum(axis=0), (apart != 0).any(axis=0))

    def __add__(self, other: "Spread") -> "Spread":
        return Spread(
            self.centres,
            self.n + other.n,
            self.total + other.total,
            self.squares + other.squares,
            self.moved | other.moved,
        )

    @property
    def mean(self) -> Array:
        return self.centres + self.total / self.n

    @property
    def sd(self) -> Array:
        """Divided by n; exactly 0 for a constant."""
        variance = self.squares / self.n - (self.total / self.n) ** 2
        return np.where(self.moved, np.sqrt(np.maximum(variance, 0.0)), 0.0)


@dataclass(frozen=True, slots=True, eq=False)
class Second:
    """What the second pass brings: cross-products, and the spread of response, X and left-hand columns."""

    products: Sums
    spread: Spread

    def __add__(self, other: "Second") -> "Second":
        return Second(self.products + other.products, self.spread + other.spread)


def all_columns(y: Array, X: Array, columns: tuple[Array, ...]) -> Array:
    return np.column_stack([y, X, *columns])


def second(maker: RowMaker, plan: Any, basis: Basis, centres: Array, frame: pd.DataFrame) -> "Second | None":
    """The second pass over one frame; None where no row is used."""
    frame = maker.used(frame)
    if frame.empty:
        return None
    parts = maker.parts(frame)
    y, X, columns = maker.response(parts), parts["fixed"].matrix, maker.left_sides(parts)
    R = maker.residual(frame)
    left = y - maker.offsets(frame, parts)
    rows = Chunk(left, X, tuple(maker.codes(frame)), columns, R.whiten, R.log_det())
    return Second(sums(plan, basis, rows), Spread.of(all_columns(y, X, columns), centres))


def add(a: "Second | None", b: "Second | None") -> "Second | None":
    """The sum of two frames' answers."""
    return (a if b is None else b) if a is None or b is None else a + b

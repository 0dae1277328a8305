"""The design's witness: both engines share a design, so what is wrong in it is seen by neither."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from bayeslmm.parity.certificate.line import Line
from bayeslmm.parity.certificate.points import Array
from bayeslmm.parity.certificate.rebuilt import Bar, Rebuilt, Unread

if TYPE_CHECKING:
    from bayeslmm.spec.block import Block
    from bayeslmm.spec.design import Design
    from bayeslmm.spec.recipe import Origin

NAME = "design"
TOLERANCE = 1e-8  # of a column's largest value
NO_ORIGIN = "the data it was built of aren't kept: they are read in chunks, or the response was given anew"

type Row = tuple[str, float]  # what was compared, how far it is off


def design_line(design: "Design", origin: "Origin | None") -> Line:
    """The design beside one made anew from the same formula and frame by other code."""
    if origin is None or not design.in_memory:
        return Line.without(NAME, NO_ORIGIN, TOLERANCE)
    return _Beside(design, Rebuilt(origin)).line()


@dataclass(frozen=True, eq=False)
class _Beside:
    """A design and the same rebuilt."""

    design: "Design"
    rebuilt: Rebuilt

    def line(self) -> Line:
        """What agrees, what doesn't, and what the other code can't make."""
        try:
            rows_differ = self._rows()
        except Unread as reason:
            return Line.without(NAME, str(reason), TOLERANCE)
        found: list[Row] = [("rows", rows_differ)]
        unread: list[str] = []
        for part in self._parts() if rows_differ == 0 else ():
            try:
                found += part()
            except Unread as reason:
                unread.append(str(reason))
        rows = [{"what": what, "deviation": off} for what, off in found]
        wrong = [what for what, off in found if not off < TOLERANCE]
        left = f" (not rebuilt: {'; '.join(dict.fromkeys(unread))})" if unread else ""
        return Line.of(
            NAME,
            rows,
            TOLERANCE,
            f"Rows, response, X, Z, offset and weights, rebuilt by other code, are the design's{left}",
            f"The design isn't what formula and data say, by other code: {', '.join(wrong)}{left}",
        )

    def _parts(self) -> "Iterator[Callable[[], list[Row]]]":
        yield lambda: [("response", _off(self.design.y, self.rebuilt.response()))]
        yield lambda: [("offset", _off(self.design.offset, self.rebuilt.offset()))]
        yield lambda: [("weights", _off(self._weights, self.rebuilt.prior_weights()))]
        yield lambda: _columns("fixed effect", self.design.coefs, self.design.X, self.rebuilt.fixed())
        for block in self.design.blocks:
            yield partial(self._block, block)

    @property
    def _weights(self) -> Array:
        """(n,) prior weights."""
        return np.asarray(self.design.residual.shown.get("weights", np.ones(self.design.n)))

    def _rows(self) -> float:
        """0 where the same rows are used."""
        return 0.0 if np.array_equal(self.design.rows, self.rebuilt.rows) else np.inf

    def _block(self, block: "Block") -> list[Row]:
        bars = [bar for bar in self.rebuilt.text.bars if bar.group == block.group]
        left = pd.concat([self.rebuilt.left_side(bar) for bar in bars], axis=1)
        return [
            (f"levels of {block.group}", _levels(block, self.rebuilt.groups()[block.group])),
            (f"covariance structure of {block.group}", _structures(block, bars)),
            *_columns(f"column of {block.group}", block.coefs, block.columns, left),
            *self._known(block),
        ]

    def _known(self, block: "Block") -> Iterator[Row]:
        given = self.rebuilt.origin.spec.covariance.get(block.group)
        if given is None or block.known is None:
            off = 0.0 if given is None and block.known is None else np.inf
        else:
            own = pd.DataFrame(block.known @ block.known.T, list(block.levels), list(block.levels))
            theirs = given.rename(index=str, columns=str) if isinstance(given, pd.DataFrame) else None
            off = _off(own, own if theirs is None else theirs.loc[own.index, own.columns])
        if given is not None or off > 0:
            yield f"known covariance of {block.group}", off


def _off(ours: Any, theirs: Any) -> float:
    """Largest difference, of the largest value."""
    one, other = np.asarray(ours, dtype=float), np.asarray(theirs, dtype=float)
    if one.shape != other.shape:
        return np.inf
    size = np.max(np.abs(other), initial=0.0)
    return float(np.max(np.abs(one - other), initial=0.0) / (size or 1.0))


def _levels(block: "Block", levels: "pd.Series[str]") -> float:
    """Share of rows whose level has another name."""
    own = np.array(block.levels, dtype=object)[block.codes]
    return float(np.mean(own != levels.to_numpy(dtype=object)))


def _structures(block: "Block", bars: list[Bar]) -> float:
    own = [structure.keyword for structure in block.structures]
    return 0.0 if own == [bar.keyword for bar in bars] else np.inf


def _columns(what: str, names: tuple[str, ...], ours: Array, theirs: pd.DataFrame) -> list[Row]:
    """Columns by name; one that formulaic names otherwise is one of its columns, or a combination of them."""
    named = {str(name): theirs.iloc[:, place].to_numpy(float) for place, name in enumerate(theirs.columns)}
    return [
        (f"{what} {name}", _off(x, named[name]) if name in named else _outside(x, theirs.to_numpy(float)))
        for name, x in zip(names, ours.T, strict=True)
    ]


def _outside(x: Array, columns: Array) -> float:
    """What of a column isn't a combination of others."""
    return _off(x, columns @ np.linalg.lstsq(columns, x)[0])

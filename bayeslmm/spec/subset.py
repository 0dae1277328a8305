"""The design of some of a design's rows."""

from collections import Counter
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from .block import Block, RowsOfBlock
from .design import Design, RandomPart, RowsInMemory

type Codes = NDArray[np.int64]


def take(design: Design, rows: Codes, codes: "list[Codes | None]") -> Design:
    """The design of some rows, with new codes of each block or, for None, its own."""
    blocks = [_taken(block, rows, own) for block, own in zip(design.blocks, codes, strict=True)]
    observed = RowsInMemory(design.y[rows], design.offset[rows], design.X[rows], design.rows[rows])
    residual = design.residual.take(rows)
    return replace(design, observed=observed, random=RandomPart.of(blocks, residual), residual=residual)


def _taken(block: Block, rows: Codes, codes: Codes | None) -> Block:
    if codes is None and block.known is not None:
        return replace(block, incidence=RowsOfBlock(block.codes[rows], block.columns[rows]))
    new = block.codes[rows] if codes is None else codes
    _, first, own = np.unique(new, return_index=True, return_inverse=True)
    names = [block.levels[level] for level in block.codes[rows[first]]]
    return replace(block, levels=_distinct(names), incidence=RowsOfBlock(own, block.columns[rows]))


def _distinct(names: list[str]) -> tuple[str, ...]:
    """Names of levels drawn: 308, 308 (2), ..."""
    seen: Counter[str] = Counter()
    out = []
    for name in names:
        seen[name] += 1
        out.append(name if seen[name] == 1 else f"{name} ({seen[name]})")
    return tuple(out)


def without(design: Design, rows: Codes) -> Design:
    """The design of the other rows; levels that have none left are gone."""
    kept = np.setdiff1d(np.arange(design.n), rows)
    return take(design, kept, [None] * len(design.blocks))

"""Which levels of two blocks occur in the same row: all that the symbolic stage asks of the data."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from bayeslmm.kernel.arrays import Ints
from bayeslmm.kernel.problem.blocks import BlockRows


class Together(Protocol):
    """Answers for blocks by their number in public order."""

    def parents(self, fine: int, coarse: int) -> Ints | None:
        """The one level of `coarse` that each level of `fine` occurs with, or None if there are several."""
        ...

    def met(self, block: int, tail: Sequence[int]) -> tuple[Ints, Ints]:
        """Levels of the tail blocks, numbered through all of them, that occur with each level of a block.

        Returns
        -------
        counts : (J,) number of tail levels met; levels : those levels, level by level, increasing.
        """
        ...


@dataclass(frozen=True, slots=True, eq=False)
class InRows:
    """The answers from rows in memory."""

    blocks: Sequence[BlockRows]

    def parents(self, fine: int, coarse: int) -> Ints | None:
        below, above = self.blocks[fine], self.blocks[coarse]
        parent = np.zeros(below.n_levels, dtype=np.int64)
        parent[below.codes] = above.codes
        return parent if np.array_equal(parent[below.codes], above.codes) else None

    def met(self, block: int, tail: Sequence[int]) -> tuple[Ints, Ints]:
        own = self.blocks[block]
        first, width = _places([self.blocks[t].n_levels for t in tail])
        keys = [own.codes * width + self.blocks[t].codes + o for t, o in zip(tail, first, strict=True)]
        return _counted(keys, own.n_levels, width)


@dataclass(frozen=True, slots=True, eq=False)
class InPairs:
    """The answers from the pairs of levels that occur.

    Attributes
    ----------
    n_levels : of each block. pairs : (m, 2) levels of blocks a < b that share a row, each pair once.
    """

    n_levels: tuple[int, ...]
    pairs: Mapping[tuple[int, int], Ints]

    def _pairs(self, a: int, b: int) -> Ints:
        return self.pairs[a, b] if a < b else self.pairs[b, a][:, ::-1]

    def parents(self, fine: int, coarse: int) -> Ints | None:
        pairs = self._pairs(fine, coarse)
        parent = np.zeros(self.n_levels[fine], dtype=np.int64)
        parent[pairs[:, 0]] = pairs[:, 1]
        return parent if np.array_equal(parent[pairs[:, 0]], pairs[:, 1]) else None

    def met(self, block: int, tail: Sequence[int]) -> tuple[Ints, Ints]:
        first, width = _places([self.n_levels[t] for t in tail])
        pairs = [(self._pairs(block, t), o) for t, o in zip(tail, first, strict=True)]
        return _counted([p[:, 0] * width + p[:, 1] + o for p, o in pairs], self.n_levels[block], width)


def _places(n_levels: Sequence[int]) -> tuple[list[int], int]:
    """Number of the first level of each tail block, and of all tail levels."""
    ends = np.cumsum([0, *n_levels])
    return [int(first) for first in ends[:-1]], int(ends[-1])


def _counted(keys: list[Ints], n_levels: int, width: int) -> tuple[Ints, Ints]:
    if not keys:
        return np.zeros(n_levels, dtype=np.int64), np.zeros(0, dtype=np.int64)
    met = np.unique(np.concatenate(keys))
    return np.bincount(met // width, minlength=n_levels), met % width

"""Which levels meet, in a row or in a residual group: all that the symbolic stage asks of the data.

Rows of one residual group are mixed by R^{-½}, so all their levels meet. Levels of one block that meet,
directly or through others, are a *clique*, known by its first level; where R joins no rows every level is one
by itself.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from bayeslmm.kernel.arrays import Ints
from bayeslmm.kernel.problem.blocks import BlockRows


class Together(Protocol):
    """Answers for blocks by their number in public order."""

    def clique(self, block: int) -> Ints:
        """(J,) the first level of each level's clique."""
        ...

    def parents(self, fine: int, coarse: int) -> Ints | None:
        """The one clique of `coarse` that each level of `fine` occurs with, or None if there are several."""
        ...

    def met(self, block: int, tail: Sequence[int]) -> tuple[Ints, Ints]:
        """Levels of the tail blocks, numbered through all of them, that each level's clique meets.

        Returns
        -------
        counts : (J,) number of tail levels met; levels : those levels, level by level, increasing.
        """
        ...


@dataclass(frozen=True, slots=True, eq=False)
class InRows:
    """The answers from rows in memory; `groups` (n,) numbers the residual groups, None where R joins none."""

    blocks: Sequence[BlockRows]
    groups: Ints | None = None

    def clique(self, block: int) -> Ints:
        own = self.blocks[block]
        return (
            np.arange(own.n_levels) if self.groups is None else joined(own.codes, self.groups, own.n_levels)
        )

    def parents(self, fine: int, coarse: int) -> Ints | None:
        below, above = self.blocks[fine].codes, self.blocks[coarse].codes
        return _parents(below, above, self.clique(fine), self.clique(coarse))

    def met(self, block: int, tail: Sequence[int]) -> tuple[Ints, Ints]:
        own, clique = self.blocks[block], self.clique(block)
        first, width = _places([self.blocks[t].n_levels for t in tail])
        codes = own.codes if self.groups is None else clique[own.codes]
        keys = [codes * width + self.blocks[t].codes + o for t, o in zip(tail, first, strict=True)]
        return _shared(*_counted(keys, own.n_levels, width), clique)


@dataclass(frozen=True, slots=True, eq=False)
class InPairs:
    """The answers from the pairs of levels that occur.

    Attributes
    ----------
    n_levels : of each block. pairs : (m, 2) levels of blocks a < b that share a row, each pair once.
    groups : (m, 2) levels of each block and the residual groups they occur in; empty where R joins no rows.
    """

    n_levels: tuple[int, ...]
    pairs: Mapping[tuple[int, int], Ints]
    groups: Sequence[Ints] = ()

    def _pairs(self, a: int, b: int) -> Ints:
        return self.pairs[a, b] if a < b else self.pairs[b, a][:, ::-1]

    def clique(self, block: int) -> Ints:
        n_levels = self.n_levels[block]
        if not self.groups:
            return np.arange(n_levels)
        levels, groups = self.groups[block].T
        return joined(levels, groups, n_levels)

    def parents(self, fine: int, coarse: int) -> Ints | None:
        below, above = self._pairs(fine, coarse).T
        return _parents(below, above, self.clique(fine), self.clique(coarse))

    def met(self, block: int, tail: Sequence[int]) -> tuple[Ints, Ints]:
        clique = self.clique(block)
        first, width = _places([self.n_levels[t] for t in tail])
        pairs = [(self._pairs(block, t), o) for t, o in zip(tail, first, strict=True)]
        keys = [clique[p[:, 0]] * width + p[:, 1] + o for p, o in pairs]
        return _shared(*_counted(keys, self.n_levels[block], width), clique)


def joined(levels: Ints, groups: Ints, n_levels: int) -> Ints:
    """The first level of each level's clique, (n_levels,), from levels and the groups they occur in, (m,)."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    size = n_levels + int(np.max(groups, initial=-1)) + 1
    links = coo_array((np.ones(len(levels), dtype=np.int8), (levels, n_levels + groups)), shape=(size, size))
    _, component = connected_components(links, directed=False)
    _, first, number = np.unique(component[:n_levels], return_index=True, return_inverse=True)
    return np.asarray(first[number], dtype=np.int64)


def meet(clique: Ints) -> bool:
    """Are there levels of a block that meet? Then one isn't the first of its clique."""
    return bool((clique[1:] <= clique[:-1]).any())


def _parents(fine: Ints, coarse: Ints, clique: Ints, above: Ints) -> Ints | None:
    """As `Together.parents`, from levels that occur together (m,) and the cliques of both blocks."""
    own, met = clique[fine], above[coarse]
    parent = np.zeros(len(clique), dtype=np.int64)
    parent[own] = met
    return parent[clique] if np.array_equal(parent[own], met) else None


def _places(n_levels: Sequence[int]) -> tuple[list[int], int]:
    """Number of the first level of each tail block, and of all tail levels."""
    ends = np.cumsum([0, *n_levels])
    return [int(first) for first in ends[:-1]], int(ends[-1])


def _counted(keys: list[Ints], n_levels: int, width: int) -> tuple[Ints, Ints]:
    if not keys:
        return np.zeros(n_levels, dtype=np.int64), np.zeros(0, dtype=np.int64)
    met = np.unique(np.concatenate(keys))
    return np.bincount(met // width, minlength=n_levels), met % width


def _shared(counts: Ints, levels: Ints, clique: Ints) -> tuple[Ints, Ints]:
    """What the first level of every clique meets, for all of its levels."""
    if not meet(clique):
        return counts, levels
    start = np.cumsum(counts) - counts
    return counts[clique], levels[spans(start[clique], counts[clique])]


def spans(start: Ints, count: Ints) -> Ints:
    """start, start + 1, ..., `count` of them, one span after the other."""
    ends = np.cumsum(count)
    return np.repeat(start - ends + count, count) + np.arange(np.sum(count))

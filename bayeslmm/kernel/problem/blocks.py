"""Blocks of random effects as rows: the order they are eliminated in, the scale they are held in."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from bayeslmm.kernel.arrays import Floats, Ints

SHARE = 3  # of a block's levels, the part that a clique may be for its levels to be eliminated one by one


class BlockShape(Protocol):
    """What the symbolic stage reads of a block."""

    @property
    def n_levels(self) -> int: ...
    @property
    def k(self) -> int: ...
    @property
    def size(self) -> int: ...
    @property
    def known(self) -> Floats | None: ...


@dataclass(frozen=True, slots=True, eq=False)
class BlockSize:
    """A block whose rows are elsewhere; attributes as of `BlockRows`."""

    n_levels: int
    k: int
    known: Floats | None = None

    @property
    def size(self) -> int:
        return self.n_levels * self.k


@dataclass(frozen=True, slots=True)
class BlockRows:
    """The rows of one block of random effects.

    Attributes
    ----------
    codes : (n,) level of each row, 0 .. n_levels - 1.
    columns : (n, k) left-hand columns: row i of Z holds ``columns[i]`` at level ``codes[i]``.
    n_levels : number of levels J; the block has J k random effects.
    known : (J, J) lower factor of a known covariance between levels; None where they are independent.
    """

    codes: Ints
    columns: Floats
    n_levels: int
    known: Floats | None = None

    @property
    def k(self) -> int:
        return int(self.columns.shape[1])

    @property
    def size(self) -> int:
        return self.n_levels * self.k


def elimination_order(
    blocks: Sequence[BlockShape], nested: Callable[[int, int], bool], cliques: Sequence[Ints]
) -> tuple[list[int], list[int]]:
    """Split the blocks into the chain that is eliminated node by node and the tail that is held dense.

    The chain is the sequence of blocks, each nested in the next, that holds the most random effects: its
    diagonal blocks, by levels or by cliques of them, stay block-diagonal whatever is eliminated before
    them. A known covariance between levels fills them all in: then everything is held dense.

    Parameters
    ----------
    nested : whether each clique of the first block occurs with one clique of the second only.
    cliques : of each block the first level of each level's clique, (J,).

    Returns
    -------
    chain, tail : block numbers; the chain from fine to coarse, the tail by decreasing size.
    """

    def total(chain: list[int]) -> int:
        return sum(blocks[b].size for b in chain)

    everything = range(len(blocks))
    if any(block.known is not None for block in blocks):
        return [], sorted(everything, key=lambda b: -blocks[b].size)
    sizes = [np.bincount(clique) for clique in cliques]
    apart = [b for b in everything if sizes[b].max() == 1 or SHARE * sizes[b].max() <= blocks[b].n_levels]
    ending: dict[int, list[int]] = {}
    for b in sorted(apart, key=lambda b: -np.count_nonzero(sizes[b])):
        inner = [chain for a, chain in ending.items() if nested(a, b)]
        ending[b] = [*max(inner, key=total, default=[]), b]
    chain = max(ending.values(), key=total, default=[])
    tail = sorted((b for b in everything if b not in chain), key=lambda b: -blocks[b].size)
    return chain, tail


def whitening(columns: Floats) -> Floats:
    """C⁻¹ (k, k): the columns times C have identity mean square, or unit mean squares if collinear."""
    n, k = columns.shape
    if k == 1:
        scale = np.sqrt(np.mean(columns**2))
        return np.array([[scale if scale > 0 else 1.0]])
    upper = np.linalg.qr(columns, mode="r") / np.sqrt(n)
    scale = np.sqrt((upper * upper).sum(axis=0))
    scale[scale == 0] = 1.0
    if len(upper) == k and (np.abs(upper.diagonal()) > 1e-9 * scale).all():
        return np.asarray(upper, dtype=np.float64)
    return np.diag(scale)

"""The random part in pieces that can be taken out: one a bar, or a coef where coefs are independent."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from itertools import groupby

import numpy as np
from numpy.typing import NDArray

from bayeslmm.spec.block import Block, RowsOfBlock
from bayeslmm.spec.covariance import CovarianceStructure
from bayeslmm.spec.design import Design

type Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Piece:
    """A bar, or an independent coef of one.

    Attributes
    ----------
    block, bar : number of the block, and of the bar in it. coefs : names. columns : (n, k).
    structure : of the coefs.
    """

    block: int
    bar: int
    coefs: tuple[str, ...]
    columns: Array
    structure: CovarianceStructure


def pieces_of(design: Design) -> list[Piece]:
    """All pieces, block by block."""
    return [piece for number, block in enumerate(design.blocks) for piece in _of_block(number, block)]


def _of_block(number: int, block: Block) -> Iterable[Piece]:
    first = 0
    for bar, structure in enumerate(block.structures):
        independent = not structure.pairs and not structure.shared_sd
        width = 1 if independent else structure.k
        own = type(structure)(width)
        for start in range(first, first + structure.k, width):
            part = slice(start, start + width)
            yield Piece(number, bar, block.coefs[part], block.columns[:, part], own)
        first += structure.k


def with_pieces(design: Design, pieces: Iterable[Piece]) -> Design:
    """The same design with these pieces for its random part; a coef a group has already isn't repeated."""
    blocks: list[Block] = []
    ordered = sorted(pieces, key=lambda piece: (piece.block, piece.bar))
    for number, own in groupby(ordered, lambda piece: piece.block):
        first = sum(len(block.structures) for block in blocks)
        blocks.append(_rebuilt(design.blocks[number], list(own), first))
    return design.with_blocks(blocks)


def _rebuilt(block: Block, pieces: list[Piece], first: int) -> Block:
    kept: list[Piece] = []
    for piece in pieces:
        if not any(set(piece.coefs) <= set(other.coefs) for other in kept):
            kept.append(piece)
    return replace(
        block,
        coefs=tuple(coef for piece in kept for coef in piece.coefs),
        incidence=RowsOfBlock(block.codes, np.hstack([piece.columns for piece in kept])),
        structures=tuple(piece.structure for piece in kept),
        term_numbers=tuple(range(first, first + len(kept))),
    )

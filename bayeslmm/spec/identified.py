"""What the likelihood alone can't tell from the residual: by the structure of a term's covariance."""

from collections.abc import Iterator, Sequence
from itertools import combinations_with_replacement
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .block import Block
from .covariance import CovarianceStructure, lower_factor
from .design import Design
from .parsed import Bar
from .term_slot import TermSlot
from .told_apart import confounded as confounded_residual

type Array = NDArray[np.float64]

CONFOUNDED = 1e-9  # of |R|², what is left of R by the term's own directions where nothing is


def unidentified(design: Design, bars: Sequence[Bar]) -> str | None:
    """Why the likelihood can't tell σ or φ, None where it can; rows that are elsewhere are only counted."""
    own = next(_reasons(design, bars), None) if design.residual.sigma_free else None
    return own or confounded_residual(design)


def _reasons(design: Design, bars: Sequence[Bar]) -> Iterator[str]:
    terms = [
        (block, bars[place], slot)
        for number, block in enumerate(design.blocks)
        for place, slot in zip(block.term_numbers, design.covariance.slots_of(number), strict=True)
        if block.known is None
    ]
    yield from (
        _too_many(block, bar, slot, design.n) for block, bar, slot in terms if _fills(block, slot, design.n)
    )
    if design.in_memory and (group := explained_by(design)) is not None:
        yield _no_residual(design.response, group)
    for _, bar, slot in terms:
        if design.blocks[slot.block].n_levels * slot.structure.k >= design.n and confounded(design, slot):
            yield _confounded(bar)


def explained_by(design: Design) -> str | None:
    """The group within whose levels the response doesn't vary, None if there is none."""
    y = design.y - design.offset
    return next((block.group for block in design.blocks if constant_within(y, block)), None)


def _fills(block: Block, slot: TermSlot, n: int) -> bool:
    """Has a term an effect a row? Independent coefs are terms of their own, patterns are for `confounded`."""
    structure = slot.structure
    free = structure.n_params == structure.k * (structure.k + 1) // 2
    return block.n_levels * (structure.k if free else 1) >= n


def _too_many(block: Block, bar: Bar, slot: TermSlot, n: int) -> str:
    if block.n_levels >= n:
        return (
            f"the grouping factor {block.group!r} has as many levels as rows ({n}), so its variance can't be "
            "told from the residual's; group by something coarser, or give sigma, or sample with proper "
            "priors"
        )
    k = slot.structure.k
    return (
        f"the term {bar.text} has {block.n_levels * k} random effects ({block.n_levels} levels, {k} coefs) "
        f"for {n} rows, so its covariance can't be told from the residual's; simplify its left side, or give "
        "sigma, or sample with proper priors"
    )


def _confounded(bar: Bar) -> str:
    return (
        f"the term {bar.text} has an effect a row, and the residual's variance is a change that its "
        f"{bar.keyword!r} covariance could make, so the two can't be told apart; simplify its left side, or "
        "give sigma, or sample with proper priors"
    )


def _no_residual(response: str, group: str) -> str:
    return (
        f"the response {response!r} is constant within every level of {group!r}, so sigma is 0; keep one row "
        "a level and leave the term out, or give sigma"
    )


class _Seen(NamedTuple):
    """What rows tell of a term, v the variances of R: Σ z zᵀ by level (J, k, k), Σ v z zᵀ (k, k) and Σ v²."""

    grams: Array
    weighed: Array
    total: float

    @classmethod
    def of(cls, rows: Design, slot: TermSlot) -> "_Seen":
        """By rows in memory."""
        block, variances = rows.blocks[slot.block], rows.residual.variances(rows.residual.start)
        columns = block.columns[:, slot.coefs]
        weighed = columns.T @ (variances[:, None] * columns)
        return cls(level_grams(block.codes, columns, block.n_levels), weighed, float(variances @ variances))


def confounded(design: Design, slot: TermSlot) -> bool:
    """Is the residual's covariance R a change that a term's own could make? Reads rows that are elsewhere.

    V = Σ_j Z_jTZ_jᵀ + σ²R moves along Z_jD_iZ_jᵀ, D_i the derivatives of T at a covariance of no particular
    form; R lies in their span where |R|² equals its squared projection, by tr(Z D_i Zᵀ Z D_l Zᵀ) and
    tr(Z D_i Zᵀ R).
    """
    seen = [_Seen.of(rows, slot) for rows in design.chunks()]
    grams, weighed, total = (sum(parts) for parts in zip(*seen, strict=True))
    D = directions(slot.structure)
    moved = np.einsum("jab,ibc->ijac", grams, D)
    products = np.einsum("ijab,ljba->il", moved, moved)
    share = np.einsum("ab,iab->i", weighed, D)
    left = total - share @ np.linalg.lstsq(products, share, rcond=1e-12)[0]
    return bool(left <= CONFOUNDED * total)


def constant_within(y: Array, block: Block) -> bool:
    """Is y (n,) the same in all rows of a level, of a block with an intercept and levels of several rows?"""
    some = np.empty(block.n_levels)
    some[block.codes] = y
    if (some[block.codes] != y).any() or np.bincount(block.codes).max() < 2:
        return False
    return bool((block.columns == block.columns[0]).all(axis=0).any())


def level_grams(codes: NDArray[np.int64], columns: Array, n_levels: int) -> Array:
    """Σ z zᵀ over the rows of each level, (J, k, k)."""
    k = columns.shape[1]
    out = np.empty((n_levels, k, k))
    for a, b in combinations_with_replacement(range(k), 2):
        out[:, a, b] = out[:, b, a] = np.bincount(codes, columns[:, a] * columns[:, b], n_levels)
    return out


def directions(structure: CovarianceStructure) -> Array:
    """Derivatives (r, k, k) of T by θ, where sds differ and no correlation is 0."""
    k = structure.k
    sd = 1 + np.arange(k) / k
    near = np.exp(-np.abs(np.subtract.outer(np.arange(k), np.arange(k))))
    theta = structure.parameters(lower_factor(sd[:, None] * np.linalg.cholesky(near)))
    half = structure.derivative(theta) @ structure.factor(theta).T
    return np.asarray(half + half.transpose(0, 2, 1))

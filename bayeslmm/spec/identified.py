"""What the likelihood alone can't tell from the residual: by the structure of a term's covariance."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from .block import Block
from .changes import NOTHING, Units, changes, level_grams, products
from .design import Design
from .parsed import Bar
from .told_apart import confounded as confounded_residual

type Array = NDArray[np.float64]

FEW = 50  # rows more than columns that are looked at first
ROUNDING = 4 * np.finfo(float).eps  # of the largest terms, what sums that give y to its last digit leave
CONFOUNDED = 1e-9  # of |R|², what is left of R by the term's own directions where nothing is


def unidentified(design: Design, bars: Sequence[Bar]) -> str | None:
    """Why the likelihood can't tell σ or φ, None where it can."""
    own = next(_reasons(design, bars), None) if design.residual.sigma_free else None
    return own or confounded_residual(design)


def _reasons(design: Design, bars: Sequence[Bar]) -> Iterator[str]:
    if design.in_memory and (explained := explained_by(design)) is not None:
        seen = f"the response {design.response!r} {explained.how}"
        yield f"{seen}, so sigma is 0; {explained.advice}, or give sigma"
    for number, block in enumerate(design.blocks):
        if block.known is None and block.q >= design.n and confounded(design, number):
            yield _confounded(block, [bars[place] for place in block.term_numbers], design.n)


def linear_in_columns(y: Array, X: Array) -> bool:
    """Is y (n,) a combination of the columns of X (n, p), in more rows than they are?"""
    some = X.shape[1] + FEW
    return (
        len(y) > X.shape[1] and (len(y) <= some or linear_in_columns(y[:some], X[:some])) and _rounding(y, X)
    )


def _rounding(y: Array, X: Array) -> bool:
    """Is what least squares leave rounding?"""
    beta = np.linalg.lstsq(X, y, rcond=None)[0]
    terms = np.abs(X) @ np.abs(beta) + np.abs(y)
    return bool(np.max(np.abs(y - X @ beta)) <= ROUNDING * np.max(terms))


class Explained(NamedTuple):
    """How a response leaves no residual, and what to do."""

    how: str
    advice: str


def explained_by(design: Design) -> Explained | None:
    """Why there is no residual: the fixed part says every row, or a group its levels; else None."""
    y = design.y - design.offset
    if linear_in_columns(y, design.X):
        return Explained(
            "is a sum of the fixed part's columns in every row", "leave out the one that says it"
        )
    group = next((block.group for block in design.blocks if constant_within(y, block)), None)
    if group is None:
        return None
    how = f"is constant within every level of {group!r}"
    return Explained(how, "keep one row a level and leave the term out")


def _confounded(block: Block, bars: Sequence[Bar], n: int) -> str:
    if block.n_levels >= n:
        return (
            f"the grouping factor {block.group!r} has as many levels as rows ({n}), so its variance can't be "
            "told from the residual's; group by something coarser, or give sigma, or sample with proper "
            "priors"
        )
    named = ", ".join(bar.text for bar in bars)
    return (
        f"{named}: {block.q} random effects ({block.n_levels} levels, {block.k} coefs) for {n} rows, and the "
        "residual's variance is a change that their covariance could make, so the two can't be told apart; "
        "simplify the left side, or give sigma, or sample with proper priors"
    )


class _Seen(NamedTuple):
    """What rows tell of a block, v variances of R: Σ z zᵀ by level (J, k, k), Σ v z zᵀ (k, k) and Σ v²."""

    grams: Array
    weighed: Array
    total: float

    @classmethod
    def of(cls, rows: Design, number: int) -> Self:
        """By rows in memory."""
        block, variances = rows.blocks[number], rows.residual.variances(rows.residual.start)
        weighed = block.columns.T @ (variances[:, None] * block.columns)
        grams = level_grams(block.codes, block.columns, block.n_levels)
        return cls(grams, weighed, float(variances @ variances))


def confounded(design: Design, number: int) -> bool:
    """Is the residual's covariance R a change that a block's own could make? Reads rows that are elsewhere.

    V = Σ_j Z_jTZ_jᵀ + σ²R moves along Z_jD_iZ_jᵀ, D_i the changes of T at a covariance of no particular form;
    R lies in their span where |R|² equals its squared projection, by tr(Z D_i Zᵀ Z D_l Zᵀ) and
    tr(Z D_i Zᵀ R).
    """
    seen = [_Seen.of(rows, number) for rows in design.chunks()]
    grams, weighed, total = (sum(parts) for parts in zip(*seen, strict=True))
    units = Units.of(np.sum(grams, axis=0) / design.n)
    D = changes(design, number, units)
    share = np.einsum("ab,iab->i", units.back.T @ weighed @ units.back, D)
    moved = products(units.back.T @ grams @ units.back, D)
    left = total - share @ np.linalg.lstsq(moved, share, rcond=NOTHING)[0]
    return bool(left <= CONFOUNDED * total)


def constant_within(y: Array, block: Block) -> bool:
    """Is y (n,) the same in all rows of a level, of a block with an intercept and levels of several rows?"""
    some = np.empty(block.n_levels)
    some[block.codes] = y
    if (some[block.codes] != y).any() or np.bincount(block.codes).max() < 2:
        return False
    return bool((block.columns == block.columns[0]).all(axis=0).any())

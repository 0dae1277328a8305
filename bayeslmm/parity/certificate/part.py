"""A part of a large design: some levels of each factor, drawn at random, and the rows that have them."""

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from bayeslmm.spec.block import Block
    from bayeslmm.spec.design import Design
    from bayeslmm.spec.priors import Priors

type Codes = NDArray[np.int64]

MOST_EFFECTS = 500  # fixed and random together, that a dense integral of a graph is quick for
MOST_ROWS = 20_000
OF_PART = 200  # fixed and random together, of a part
SEED = 3
SMALLER = 0.8


class Part(NamedTuple):
    """A design small enough to be certified.

    Attributes
    ----------
    design, priors : of the rows chosen. about : what was left out; empty where nothing was.
    """

    design: "Design"
    priors: "Priors"
    about: str


def part_of(design: "Design", priors: "Priors") -> Part:
    """The design itself, or as many of its levels as make a small one; priors stay those of the whole."""
    if design.in_memory and _is_small(design):
        return Part(design, priors, "")
    here = design if design.in_memory else next(design.chunks())
    chosen = next(each for each in _smaller(here) if each.p + each.q <= OF_PART)
    coefs = [f"beta[{coef}]" for coef in chosen.coefs]
    table = {
        name: prior for name, prior in priors.table.items() if not name.startswith("beta[") or name in coefs
    }
    about = (
        f"on a part, {chosen.n} of {design.n} rows and {chosen.q} of {design.q} effects drawn at random, "
        "whose own REML fit the theorem speaks of"
    )
    return Part(chosen, replace(priors, coefs=chosen.coefs, table=table), about)


def _is_small(design: "Design") -> bool:
    return design.p + design.q <= MOST_EFFECTS and design.n <= MOST_ROWS


def _smaller(design: "Design") -> "Iterator[Design]":
    """Ever smaller parts, by the share of each factor's levels that is kept."""
    rng, share = np.random.default_rng(SEED), SMALLER
    orders = [rng.permutation(block.n_levels) for block in design.blocks]
    shuffled = rng.permutation(design.n)
    while True:
        kept = np.zeros(design.n, dtype=bool)
        kept[shuffled[:MOST_ROWS]] = True
        for block, order in zip(design.blocks, orders, strict=True):
            levels = order[: max(3, int(share * block.n_levels))]
            kept &= np.isin(block.codes, levels) | (block.n_levels <= 3)
        yield _of_rows(design, np.flatnonzero(kept))
        share *= SMALLER


def _of_rows(design: "Design", rows: Codes) -> "Design":
    """The design of some rows: the levels that they have, and columns that are still independent."""
    from bayeslmm.spec.design import RandomPart, RowsInMemory
    from bayeslmm.spec.rank import independent_columns

    X, residual = design.X[rows], design.residual.take(rows)
    columns = independent_columns(X) if len(rows) else np.arange(0)
    return replace(
        design,
        observed=RowsInMemory(
            design.y[rows], design.offset[rows], np.ascontiguousarray(X[:, columns]), design.rows[rows]
        ),
        random=RandomPart.of((_block_of_rows(block, rows) for block in design.blocks), residual),
        residual=residual,
        coefs=tuple(design.coefs[column] for column in columns),
        products=None,
    )


def _block_of_rows(block: "Block", rows: Codes) -> "Block":
    from bayeslmm.spec.block import RowsOfBlock

    levels, codes = np.unique(block.codes[rows], return_inverse=True)
    known = None if block.known is None else _root(block.known @ block.known.T, levels)
    incidence = RowsOfBlock(codes.astype(np.int64), block.columns[rows])
    return replace(block, levels=tuple(block.levels[i] for i in levels), incidence=incidence, known=known)


def _root(K: NDArray[np.float64], levels: Codes) -> NDArray[np.float64]:
    return np.linalg.cholesky(K[np.ix_(levels, levels)])

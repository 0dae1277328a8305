"""From rows to cross-products, packed as `layout` says: the only pass that sees n.

Where R has parameters the same rows give the numbers of a problem at any of them: the plan stays. A function
of the problem's numbers is pulled back to the whitened rows; what R's parameters make of it is R's to say.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any, NamedTuple, Self

import numpy as np

from bayeslmm.kernel.arrays import Floats, Ints
from bayeslmm.kernel.problem.blocks import BlockRows, BlockSize, whitening
from bayeslmm.kernel.problem.elimination import Elimination, pack_floats
from bayeslmm.kernel.problem.entries import (
    Entries,
    RowsByLevel,
    Spread,
    Whitening,
    in_basis,
    over_groups,
    placed,
    sparse_rows,
)
from bayeslmm.kernel.problem.layout import Problem
from bayeslmm.kernel.problem.relation import relate_tail, unrelate_tail
from bayeslmm.kernel.problem.together import InRows

KEPT = 8192  # levels of rows, over all blocks, up to which a plan is kept for the next problem like it


@dataclass(frozen=True, slots=True, eq=False)
class LeastSquares:
    """The least-squares fit of y on X, whitened: R^{-½}X = Q R, R^{-½}y = Q gamma + r.

    Attributes
    ----------
    Q : (n, p) orthonormal; R : (p, p) upper triangular; gamma : (p,); r : (n,) orthogonal to Q.
    shift : taken off y first, where X spans a constant. rest : (p,) gamma without the shift's part.
    """

    Q: Floats
    R: Floats
    gamma: Floats
    r: Floats
    shift: float
    rest: Floats

    @property
    def right(self) -> Floats:
        """[Q r], (n, p + 1)."""
        return np.hstack([self.Q, self.r[:, None]])

    def unwhitened(self, y: Floats, X: Floats) -> Floats:
        """R^½[Q r], (n, p + 1): [X y] in the same coordinates."""
        basis = np.linalg.solve(self.R.T, X.T).T
        return np.column_stack([basis, y - self.shift - basis @ self.rest])


def least_squares(y: Floats, X: Floats, whiten: Whitening) -> LeastSquares:
    """Orthonormal basis of X and least-squares residual of y, rows whitened.

    A constant is taken off y first when X spans it: y - y[0] is exact for numbers that share leading
    digits, Q Qᵀy is not; so y is whitened here and not before.
    """
    Q, R = np.linalg.qr(whiten(X))
    constant = whiten(np.ones(len(y)))
    ones = Q.T @ constant
    left = constant - Q @ ones
    spanned = left @ left < 1e-20 * (constant @ constant)
    shift = float(y[0]) if spanned else 0.0
    r = whiten(y - shift)
    rest = np.zeros(len(ones))
    for _ in range(2):
        step = Q.T @ r
        rest, r = rest + step, r - Q @ step
    return LeastSquares(Q, R, shift * ones + rest, r, shift, rest)


class Moved(NamedTuple):
    """Rows, an array (n, m) or sparse, and the derivative of a function by R^{-½} times them, alike.

    Sparse rows have a derivative wherever whitening can put something.
    """

    rows: Any
    by_whitened: Any


@dataclass(frozen=True, eq=False)
class Observations:
    """The rows of a problem, from which it is made at any R.

    Attributes
    ----------
    y : (n,) response, offset taken off. X : (n, p), of full column rank. blocks : in public order.
    groups : (n,) numbers of the residual groups; None where R joins no rows.
    spread : where whitened rows can differ from 0; None for everything that a residual group holds.
    """

    y: Floats
    X: Floats
    blocks: Sequence[BlockRows]
    groups: Ints | None = None
    spread: Spread | None = None

    @classmethod
    def of(
        cls,
        y: Floats,
        X: Floats,
        blocks: Sequence[tuple[Ints, Floats, int]],
        known: Sequence[Floats | None],
        groups: Ints | None = None,
        spread: Spread | None = None,
    ) -> Self:
        """From arrays of any type.

        Parameters
        ----------
        blocks : (codes (n,), columns (n, k), n_levels) of each block, in public order.
        known : (J, J) lower factor of the known covariance between the levels of each block, or None.
        """
        rows = [
            BlockRows(
                np.asarray(codes, dtype=np.int64), np.asarray(columns, dtype=np.float64), int(n_levels), L
            )
            for (codes, columns, n_levels), L in zip(blocks, known, strict=True)
        ]
        response, fixed = (np.asarray(each, dtype=np.float64) for each in (y, X))
        return cls(response, fixed, rows, groups, spread)

    @property
    def plan(self) -> Elimination:
        """The order of elimination and the layout, the same at any R."""
        return self.planned[0]

    @cached_property
    def planned(self) -> tuple[Elimination, Ints]:
        """The plan and its tables."""
        return planned(self.blocks, len(self.y), self.X.shape[1] + 1, self.groups)

    def whitened(self, whiten: Whitening) -> "Whitened":
        """The rows at one R."""
        plan = self.plan
        entries = [
            Entries.whitened(self.blocks[b], whiten, self._spread if plan.meet[b] else None)
            for b in plan.order
        ]
        white = [whitening(each.columns) for each in entries]
        return Whitened(self, least_squares(self.y, self.X, whiten), white, entries)

    @property
    def _spread(self) -> Spread | None:
        return self.spread if self.spread or self.groups is None else over_groups(self.groups)


@dataclass(frozen=True, eq=False)
class Whitened:
    """Whitened rows.

    Attributes
    ----------
    observations : as they were. fit : of y on X. white : C⁻¹ of each block in elimination order.
    entries : of each block's rows, likewise.
    """

    observations: Observations
    fit: LeastSquares
    white: Sequence[Floats]
    entries: Sequence[Entries]

    @cached_property
    def rows(self) -> RowsByLevel:
        """[Z̃ Q r]."""
        scaled = [each.scaled(c) for each, c in zip(self.entries, self.white, strict=True)]
        return RowsByLevel.of(scaled, self.observations.plan.first_level, self.fit.right)

    def problem(self, log_det: float) -> Problem:
        """The packed problem; `log_det` is log|R|."""
        (plan, ints), fit = self.observations.planned, self.fit
        values, dense = plan.nothing()
        plan.add(values, dense, self.rows)
        dense = bordered(plan, dense, float(fit.r @ fit.r))
        constants = np.array([log_det, np.log(np.abs(fit.R.diagonal())).sum()])
        return pack_floats(ints, self.white, values, dense, fit.R, fit.gamma, constants)

    def pull(self, panels_bar: Floats, tail_bar: Floats) -> list[Moved]:
        """Pull derivatives by a problem's `panels` and `tail` back to the whitened rows.

        What the rows are multiplied by to be in the kernel's coordinates, C, R_X and γ, counts as fixed: the
        likelihood doesn't depend on the coordinates.

        Returns
        -------
        [X y], then Z of each block in elimination order, in the kernel's coordinates.
        """
        plan, rows = self.observations.plan, self.rows
        bar = unrelate_tail(tail_bar, [plan.blocks[b] for b in plan.tail])
        lower = np.tril(bar) + np.triu(bar, 1).T
        by_values, by_right = plan.pull(panels_bar, lower, rows)
        corner = bar[plan.q_tail :, plan.q_tail :]
        by_right += rows.right @ (corner + corner.T)
        given = self.observations
        _, _, places = placed(self.entries, plan.first_level, len(given.y))
        moved = [Moved(self.fit.unwhitened(given.y, given.X), by_right)]
        for b, each, c, place in zip(plan.order, self.entries, self.white, places, strict=True):
            moved.append(_moved(given.blocks[b], each, c, by_values[place]))
        return moved


def _moved(block: BlockRows, entries: Entries, white: Floats, by_columns: Floats) -> Moved:
    """The rows of a block in the kernel's coordinates, with the derivatives (m, k) by their entries."""
    columns = in_basis(block.columns, white)
    if entries.row is None:
        return Moved(columns, by_columns)
    rows = sparse_rows(None, block.codes, columns, block.n_levels)
    return Moved(rows, entries.sparse(by_columns, block.n_levels))


def planned(
    blocks: Sequence[BlockRows], n: int, p1: int, groups: Ints | None = None
) -> tuple[Elimination, Ints]:
    """The plan of some rows and its tables, which follow from levels and residual groups alone.

    Small ones are kept.
    """
    levels = sum(len(block.codes) for block in blocks)
    if levels > KEPT or any(block.known is not None for block in blocks):
        plan = Elimination.of(blocks, InRows(blocks, groups), p1)
        return plan, plan.pack_ints(n)
    shapes = tuple((block.n_levels, block.k) for block in blocks)
    joined = None if groups is None else groups.tobytes()
    return _planned(shapes, tuple(block.codes.tobytes() for block in blocks), joined, n, p1)


@lru_cache(maxsize=64)
def _planned(
    shapes: tuple[tuple[int, int], ...], codes: tuple[bytes, ...], joined: bytes | None, n: int, p1: int
) -> tuple[Elimination, Ints]:
    sizes = [BlockSize(n_levels, k) for n_levels, k in shapes]
    own = [np.frombuffer(each, dtype=np.int64) for each in codes]
    rows = [BlockRows(each, np.empty((n, 0)), size.n_levels) for each, size in zip(own, sizes, strict=True)]
    groups = None if joined is None else np.frombuffer(joined, dtype=np.int64)
    plan = Elimination.of(sizes, InRows(rows, groups), p1)
    return plan, plan.pack_ints(n)


def bordered(plan: Elimination, dense: Floats, rr: float) -> Floats:
    """The tail's cross-products, full and symmetric, with [Q r]ᵀ[Q r] = diag(1, ..., 1, rᵀr) at the end."""
    dense[plan.q_tail :, plan.q_tail :] = np.eye(plan.p1)
    dense[-1, -1] = rr
    full: Floats = np.where(np.tri(len(dense), dtype=bool), dense, dense.T)
    return relate_tail(full, [plan.blocks[b] for b in plan.tail])

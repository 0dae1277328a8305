"""From rows to cross-products, packed as `layout` says: the only pass that sees n."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from bayeslmm.kernel.arrays import Floats, Ints
from bayeslmm.kernel.problem.blocks import BlockRows, BlockSize, whitening
from bayeslmm.kernel.problem.elimination import Elimination, pack_floats
from bayeslmm.kernel.problem.layout import Problem
from bayeslmm.kernel.problem.relation import relate_tail
from bayeslmm.kernel.problem.together import InRows

KEPT = 8192  # levels of rows, over all blocks, up to which a plan is kept for the next problem like it

type Whitening = Callable[[Floats], Floats]  # rows (n, ...) to R^{-½} rows


def as_they_are(rows: Floats) -> Floats:
    """The whitening of R = I."""
    return rows


@dataclass(frozen=True, slots=True, eq=False)
class LeastSquares:
    """The least-squares fit of y on X: X = Q R, y = Q gamma + r.

    Attributes
    ----------
    Q : (n, p) orthonormal; R : (p, p) upper triangular; gamma : (p,); r : (n,) orthogonal to Q.
    """

    Q: Floats
    R: Floats
    gamma: Floats
    r: Floats


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
    shift = y[0] if spanned else 0.0
    r = whiten(y - shift)
    gamma = shift * ones
    for _ in range(2):
        step = Q.T @ r
        gamma, r = gamma + step, r - Q @ step
    return LeastSquares(Q, R, gamma, r)


def pack(y: Floats, X: Floats, blocks: list[BlockRows], whiten: Whitening, log_det: float) -> Problem:
    """Cross-products of Z, Q and r for one problem, packed.

    Parameters
    ----------
    y : (n,) response, offset taken off. X : (n, p), of full column rank. blocks : in public order.
    whiten, log_det : R^{-½} rows, and log|R|.
    """
    fit = least_squares(y, X, whiten)
    plan, ints = planned(blocks, len(y), X.shape[1] + 1)
    ordered = [blocks[b] for b in plan.order]
    scaled = [whiten(block.columns) for block in ordered]
    white = [whitening(columns) for columns in scaled]
    columns = [whitened(z, c) for z, c in zip(scaled, white, strict=True)]
    values, dense = plan.nothing()
    plan.add(values, dense, columns, [b.codes for b in ordered], np.hstack([fit.Q, fit.r[:, None]]))
    dense = bordered(plan, dense, float(fit.r @ fit.r))
    constants = np.array([log_det, np.log(np.abs(fit.R.diagonal())).sum()])
    return pack_floats(ints, white, values, dense, fit.R, fit.gamma, constants)


def planned(blocks: Sequence[BlockRows], n: int, p1: int) -> tuple[Elimination, Ints]:
    """The plan of some rows and its tables, which follow from the rows' levels alone: small ones are kept."""
    levels = sum(len(block.codes) for block in blocks)
    if levels > KEPT or any(block.known is not None for block in blocks):
        plan = Elimination.of(blocks, InRows(blocks), p1)
        return plan, plan.pack_ints(n)
    shapes = tuple((block.n_levels, block.k) for block in blocks)
    return _planned(shapes, tuple(block.codes.tobytes() for block in blocks), n, p1)


@lru_cache(maxsize=64)
def _planned(
    shapes: tuple[tuple[int, int], ...], codes: tuple[bytes, ...], n: int, p1: int
) -> tuple[Elimination, Ints]:
    sizes = [BlockSize(n_levels, k) for n_levels, k in shapes]
    own = [np.frombuffer(each, dtype=np.int64) for each in codes]
    rows = [BlockRows(each, np.empty((n, 0)), size.n_levels) for each, size in zip(own, sizes, strict=True)]
    plan = Elimination.of(sizes, InRows(rows), p1)
    return plan, plan.pack_ints(n)


def whitened(columns: Floats, white: Floats) -> Floats:
    """Columns times C."""
    return np.ascontiguousarray(np.linalg.solve(white.T, columns.T).T)


def bordered(plan: Elimination, dense: Floats, rr: float) -> Floats:
    """The tail's cross-products, full and symmetric, with [Q r]ᵀ[Q r] = diag(1, ..., 1, rᵀr) at the end."""
    dense[plan.q_tail :, plan.q_tail :] = np.eye(plan.p1)
    dense[-1, -1] = rr
    full: Floats = np.where(np.tri(len(dense), dtype=bool), dense, dense.T)
    return relate_tail(full, [plan.blocks[b] for b in plan.tail])

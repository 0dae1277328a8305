"""Cross-products of rows that come in chunks: a sample gives coordinates, all rows the numbers.

Rows are whitened. Those of X are written in provisional coordinates P, X[:, order] = P·root, and the response
as y = X·at + r₀, both learnt from a sample. Chunks add ZᵀP, Zᵀr₀ and the triangle of [P r₀] (TSQR). With
[P r₀] = Q̂ [[R₁, c], [0, ρ]] the coordinates of `layout` are

    [Q r] = [P r₀] [[R₁⁻¹, −R₁⁻¹c], [0, 1]],     R_X = R₁·root,     γ = R_X·at + c,     rᵀr = ρ².

P is nearly orthonormal and r₀ nearly the residual, so that this takes no digits, whatever the units of X and
however far y is from 0. How good the sample is decides the conditioning alone, never the result.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from bayeslmm.kernel.arrays import Floats, Ints
from bayeslmm.kernel.problem.blocks import BlockRows, BlockShape, whitening
from bayeslmm.kernel.problem.crossproducts import bordered
from bayeslmm.kernel.problem.elimination import Elimination, pack_floats
from bayeslmm.kernel.problem.entries import Entries, RowsByLevel, Whitening, as_they_are
from bayeslmm.kernel.problem.layout import Problem


@dataclass(frozen=True, slots=True, eq=False)
class Basis:
    """Provisional coordinates.

    Attributes
    ----------
    order : (p',) columns of X, the `p` that are kept first. root : (p', p') upper triangular.
    level, shift : the response's level, Xshift (m,) about 1 where X spans the constant: taken off first, as
        nothing is lost in it. at : (p',) coefficients taken off next, 0 where a column isn't kept.
    white : C⁻¹ of each block in public order.
    """

    order: Ints
    p: int
    root: Floats
    level: float
    shift: Floats
    at: Floats
    white: tuple[Floats, ...]

    @classmethod
    def of(cls, y: Floats, X: Floats, kept: Ints, columns: Sequence[Floats], whiten: Whitening) -> "Basis":
        """Learn the coordinates from a sample of rows; `kept` are independent columns of X, in order."""
        scaled = whiten(X)
        order, root = _triangle(scaled, kept)
        shift = _spanning(X, kept)
        level = float(y[0]) if shift.any() else 0.0
        at = np.zeros(X.shape[1])
        rest = whiten(y - level * (X @ shift))
        at[kept] = np.linalg.lstsq(scaled[:, kept], rest)[0]
        white = tuple(whitening(whiten(z)) for z in columns)
        return cls(order, len(kept), root, level, shift, at, white)

    def with_kept(self, R: Floats, kept: Ints) -> "Basis":
        """Coordinates for another choice of columns; R has the geometry of all rows, RᵀR = XᵀR⁻¹X."""
        order, root = _triangle(R, kept)
        gone = np.setdiff1d(np.arange(len(order)), kept)
        shift, at = self.shift.copy(), self.at.copy()
        shift[gone], at[gone] = 0.0, 0.0
        level = self.level if np.array_equal(shift, self.shift) else 0.0
        return Basis(order, len(kept), root, level, shift, at, self.white)

    def right(self, y: Floats, X: Floats, whiten: Whitening) -> Floats:
        """(m, p' + 1) rows of P's kept columns, r₀, and P's other columns."""
        from scipy.linalg import solve_triangular

        P = solve_triangular(self.root, whiten(X[:, self.order]).T, trans="T").T
        rest = whiten(y - self.level * (X @ self.shift) - X @ self.at)
        return np.column_stack([P[:, : self.p], rest, P[:, self.p :]])


def _triangle(X: Floats, kept: Ints) -> tuple[Ints, Floats]:
    """Order of the columns and triangle of X in it; a column that depends on kept ones keeps its length."""
    order = np.append(kept, np.setdiff1d(np.arange(X.shape[1]), kept)).astype(np.int64)
    root = np.zeros((len(order), len(order)))
    upper = np.linalg.qr(X[:, order], mode="r")
    root[: len(upper)] = upper
    lengths = np.linalg.norm(root, axis=0)
    for j in range(len(kept), len(order)):
        root[j, j] = lengths[j] or 1.0
    return order, root


def _spanning(X: Floats, kept: Ints) -> Floats:
    """a with Xa = 1, or zeros where there is none; exact for an intercept and for indicators."""
    a = np.zeros(X.shape[1])
    if len(kept) == 0:
        return a
    own = X[:, kept]
    a[kept] = np.linalg.lstsq(own, np.ones(len(X)))[0]
    rounded = np.round(a, 6)
    found = rounded if np.all(X @ rounded == 1.0) else a
    return found if np.allclose(X @ found, 1.0, atol=1e-10) else np.zeros(X.shape[1])


@dataclass(slots=True, eq=False)
class Sums:
    """What chunks add up to.

    Attributes
    ----------
    n : rows. values, dense : cross-products of Z with itself and [P r₀], as `Elimination` has them.
    triangle : of [P r₀ P'], P' the columns that aren't kept. log_det : log|R|.
    grams : ZᵀR⁻¹Z of the left-hand columns of each block in public order.
    """

    n: int
    values: Floats
    dense: Floats
    triangle: Floats
    log_det: float
    grams: tuple[Floats, ...]

    def __add__(self, other: "Sums") -> "Sums":
        """The sum; this one's arrays are used up."""
        self.values += other.values
        self.dense += other.dense
        triangle = np.linalg.qr(np.vstack([self.triangle, other.triangle]), mode="r")
        grams = tuple(a + b for a, b in zip(self.grams, other.grams, strict=True))
        log_det = self.log_det + other.log_det
        return Sums(self.n + other.n, self.values, self.dense, triangle, log_det, grams)


@dataclass(frozen=True, slots=True, eq=False)
class Chunk:
    """Some rows of a problem, residual groups whole.

    With y (m,), the offset taken off, X (m, p') all columns, and its blocks' rows.

    Attributes
    ----------
    codes, columns : of each block in public order, (m,) and (m, k).
    whiten, log_det : R^{-½} rows, and log|R|, of these rows.
    """

    y: Floats
    X: Floats
    codes: tuple[Ints, ...]
    columns: tuple[Floats, ...]
    whiten: Whitening
    log_det: float

    def blocks(self, plan: Elimination) -> list[BlockRows]:
        """The rows of each block."""
        return [
            BlockRows(np.asarray(codes, dtype=np.int64), columns, shape.n_levels)
            for codes, columns, shape in zip(self.codes, self.columns, plan.blocks, strict=True)
        ]


def sums(plan: Elimination, basis: Basis, rows: Chunk) -> Sums:
    """The sums of one chunk."""
    right = basis.right(rows.y, rows.X, rows.whiten)
    entries = [
        Entries.whitened(block, rows.whiten, as_they_are if meet else None)
        for block, meet in zip(rows.blocks(plan), plan.meet, strict=True)
    ]
    values, dense = plan.nothing()
    scaled = [entries[b].scaled(basis.white[b]) for b in plan.order]
    own = np.ascontiguousarray(right[:, : plan.p1])
    plan.add(values, dense, RowsByLevel.of(scaled, plan.first_level, own))
    grams = tuple(each.columns.T @ each.columns for each in entries)
    triangle = np.linalg.qr(right, mode="r")
    return Sums(len(rows.y), values, dense, triangle, rows.log_det, grams)


def geometry(basis: Basis, total: Sums) -> Floats:
    """R (p' + 1, p'), RᵀR = XᵀR⁻¹X over all rows, columns as asked: tells which are independent."""
    p, last = basis.p, len(basis.order)
    square = _square(total.triangle, last + 1)
    P = np.delete(square, p, axis=1)
    out = np.empty((last + 1, last))
    out[:, basis.order] = P @ basis.root
    return out


def _square(triangle: Floats, size: int) -> Floats:
    """A triangle of fewer rows than columns, filled up with zeros."""
    out = np.zeros((size, triangle.shape[1]))
    out[: len(triangle)] = triangle
    return out


def finish(plan: Elimination, basis: Basis, total: Sums) -> Problem:
    """The packed problem."""
    from scipy.linalg import solve_triangular

    p = basis.p
    triangle = _square(total.triangle, len(basis.order) + 1)
    R1, c, rr = triangle[:p, :p], triangle[:p, p], float(triangle[p, p] ** 2)
    R = R1 @ basis.root[:p, :p]
    taken = (basis.level * basis.shift + basis.at)[basis.order[:p]]
    inverse = solve_triangular(R1, np.eye(p)) if p else np.zeros((0, 0))
    W = np.block([[inverse, -(inverse @ c)[:, None]], [np.zeros((1, p)), np.ones((1, 1))]])
    _transform_panels(plan, total.values, W)
    total.dense[plan.q_tail :, : plan.q_tail] = W.T @ total.dense[plan.q_tail :, : plan.q_tail]
    dense = bordered(plan, total.dense, rr)
    constants = np.array([total.log_det, np.sum(np.log(np.abs(np.diag(R))))])
    ints = plan.pack_ints(total.n)
    white = [basis.white[b] for b in plan.order]
    return pack_floats(ints, white, total.values, dense, R, R @ taken + c, constants)


def _transform_panels(plan: Elimination, values: Floats, W: Floats) -> None:
    """Wᵀ from the left on the last p1 rows of every panel, in place."""
    ends = plan.tables.panel_start[1:]
    for place, k in enumerate(plan.ks[: len(plan.chain)]):
        own = ends[plan.tables.node_block == place]
        index = own[:, None] - plan.p1 * k + np.arange(plan.p1 * k)
        right = values[index].reshape(-1, plan.p1, k)
        values[index] = np.einsum("ij,nik->njk", W, right).reshape(len(own), -1)


def plan_of(
    blocks: Sequence[BlockShape],
    pairs: dict[tuple[int, int], Ints],
    p: int,
    groups: Sequence[Ints] = (),
) -> Elimination:
    """The plan of blocks of which it is known what levels meet, as `InPairs` says."""
    from bayeslmm.kernel.problem.together import InPairs

    return Elimination.of(blocks, InPairs(tuple(b.n_levels for b in blocks), pairs, groups), p + 1)

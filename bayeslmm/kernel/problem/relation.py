"""Known covariance between the levels of a block: b = (L ⊗ Λ)u, K = LLᵀ, in the coordinates b = (L ⊗ I)b'.

b' has independent levels, so all of the kernel computes with b' and the columns Z(L ⊗ I); only what enters
and leaves it is carried over here. Effects are (q, ...) in public order: block, level, coef.
"""

from collections.abc import Callable, Sequence

import numpy as np

from bayeslmm.kernel.arrays import Floats
from bayeslmm.kernel.problem.blocks import BlockShape
from bayeslmm.kernel.problem.layout import Problem

type Known = tuple[Floats | None, ...]  # L of each block in public order; () where none is known


def related(known: Known, problem: Problem, effects: Floats) -> Floats:
    """b = (L ⊗ I)b'."""
    return _by_block(known, problem, effects, lambda L, part: L @ part)


def unrelated(known: Known, problem: Problem, effects: Floats) -> Floats:
    """b' = (L⁻¹ ⊗ I)b."""
    from scipy.linalg import solve_triangular

    return _by_block(known, problem, effects, lambda L, part: solve_triangular(L, part, lower=True))


def related_products(known: Known, problem: Problem, products: Floats) -> Floats:
    """(Lᵀ ⊗ I)Zᵀy from Zᵀy."""
    return _by_block(known, problem, products, lambda L, part: L.T @ part)


def _by_block(
    known: Known, problem: Problem, effects: Floats, change: Callable[[Floats, Floats], Floats]
) -> Floats:
    if not known:
        return effects
    out, first = effects.copy(), 0
    for L, size in zip(known, block_sizes(problem), strict=True):
        if L is not None:
            part = effects[first : first + size]
            out[first : first + size] = change(L, part.reshape(len(L), -1)).reshape(part.shape)
        first += size
    return out


def block_sizes(problem: Problem) -> list[int]:
    """Number of effects of each block in public order."""
    blocks = problem.blocks
    counts = np.bincount(problem.position_block, minlength=len(blocks.k))
    sizes: list[int] = counts[np.argsort(blocks.lam)].tolist()
    return sizes


def relate_tail(dense: Floats, blocks: Sequence[BlockShape]) -> Floats:
    """BᵀGB of a tail's cross-products G, bordered, with B = blockdiag(L ⊗ I, ..., I)."""
    return _both_sides(dense, blocks, lambda L: L.T)


def unrelate_tail(dense: Floats, blocks: Sequence[BlockShape]) -> Floats:
    """BGBᵀ, the transpose of `relate_tail`: from derivatives by BᵀGB to those by G."""
    return _both_sides(dense, blocks, lambda L: L)


def _both_sides(dense: Floats, blocks: Sequence[BlockShape], left: Callable[[Floats], Floats]) -> Floats:
    out, first = dense, 0
    for block in blocks:
        if block.known is not None:
            rows = slice(first, first + block.size)
            out = out.copy()
            out[rows] = _times(left(block.known), out[rows])
            out[:, rows] = _times(left(block.known), out[:, rows].T).T
        first += block.size
    return out


def _times(matrix: Floats, rows: Floats) -> Floats:
    """(matrix ⊗ I) times rows (J k, m)."""
    return np.asarray((matrix @ rows.reshape(len(matrix), -1)).reshape(rows.shape))


def diagonal_blocks(L: Floats, factor: Floats, inverse: Floats) -> Floats:
    """(L ⊗ Λ)M⁻¹(L ⊗ Λ)ᵀ of every level, (J, k, k), from the block's part (J k, J k) of M⁻¹."""
    J, k = len(L), len(factor)
    left = (L @ inverse.reshape(J, -1)).reshape(J, k, J, k)
    middle = np.einsum("jamb,jm->jab", left, L)
    return np.asarray(factor @ middle @ factor.T)

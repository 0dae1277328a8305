"""Known covariance between the levels of a block: b = (L ⊗ Λ)u, K = LLᵀ, in the coordinates b = (L ⊗ I)b'.

b' has independent levels, so all of the kernel computes with b' and the columns Z(L ⊗ I); only what enters
and leaves it is carried over here. Effects are (q, ...) in public order: block, level, coef.
"""

from collections.abc import Callable, Sequence

import numpy as np

from bayeslmm.kernel import layout as at
from bayeslmm.kernel.blocks import BlockShape, Floats, Ints

type Known = tuple[Floats | None, ...]  # L of each block in public order; () where none is known


def related(known: Known, ints: Ints, effects: Floats) -> Floats:
    """b = (L ⊗ I)b'."""
    return _by_block(known, ints, effects, lambda L, part: L @ part)


def unrelated(known: Known, ints: Ints, effects: Floats) -> Floats:
    """b' = (L⁻¹ ⊗ I)b."""
    from scipy.linalg import solve_triangular

    return _by_block(known, ints, effects, lambda L, part: solve_triangular(L, part, lower=True))


def related_products(known: Known, ints: Ints, products: Floats) -> Floats:
    """(Lᵀ ⊗ I)Zᵀy from Zᵀy."""
    return _by_block(known, ints, products, lambda L, part: L.T @ part)


def _by_block(
    known: Known, ints: Ints, effects: Floats, change: Callable[[Floats, Floats], Floats]
) -> Floats:
    if not known:
        return effects
    out, first = effects.copy(), 0
    for L, size in zip(known, block_sizes(ints), strict=True):
        if L is not None:
            part = effects[first : first + size]
            out[first : first + size] = change(L, part.reshape(len(L), -1)).reshape(part.shape)
        first += size
    return out


def block_sizes(ints: Ints) -> list[int]:
    """Number of effects of each block in public order."""
    n_blocks = int(ints[at.N_BLOCKS])
    q = int(ints[at.Q_LEAD] + ints[at.Q_TAIL])
    counts = np.bincount(ints[ints[at.POSITION_BLOCK] :][:q], minlength=n_blocks)
    order = np.argsort(ints[ints[at.BLOCK_LAM] :][:n_blocks])
    return [int(counts[b]) for b in order]


def relate_tail(dense: Floats, blocks: Sequence[BlockShape]) -> Floats:
    """BᵀGB of a tail's cross-products G, bordered, with B = blockdiag(L ⊗ I, ..., I)."""
    out, first = dense, 0
    for block in blocks:
        if block.known is not None:
            rows = slice(first, first + block.size)
            out = out.copy()
            out[rows] = _times(block.known, out[rows])
            out[:, rows] = _times(block.known, out[:, rows].T).T
        first += block.size
    return out


def _times(L: Floats, rows: Floats) -> Floats:
    """(Lᵀ ⊗ I) times rows (J k, m)."""
    return np.asarray((L.T @ rows.reshape(len(L), -1)).reshape(rows.shape))


def diagonal_blocks(L: Floats, factor: Floats, inverse: Floats) -> Floats:
    """(L ⊗ Λ)M⁻¹(L ⊗ Λ)ᵀ of every level, (J, k, k), from the block's part (J k, J k) of M⁻¹."""
    J, k = len(L), len(factor)
    left = (L @ inverse.reshape(J, -1)).reshape(J, k, J, k)
    middle = np.einsum("jamb,jm->jab", left, L)
    return np.asarray(factor @ middle @ factor.T)

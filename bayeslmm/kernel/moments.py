"""Moment estimates of the covariances, from cross-products alone: where a search begins."""

import numpy as np

from bayeslmm.kernel import layout as at
from bayeslmm.kernel.blocks import Floats, Ints
from bayeslmm.kernel.compiled import compiled

RANGE = (1e-2, 1e3)  # relative variance of a whitened coef that a start may have


def relative_covariances(ints: Ints, floats: Floats) -> list[Floats] | None:
    """T of each block in public order, by matching Zᵀr rᵀZ to its expectation (as MINQUE with weight 0).

    E Z_jᵀr rᵀZ_j = σ²[G_jj + Σ_l G_jl T G_lj] and E rᵀr = σ²[n − p + Σ_l tr T G_ll], where the fixed effects'
    share in G is left out: they are few, and this is a start. Eigenvalues are kept within `RANGE`.

    Returns
    -------
    T of each block, (k, k); None when the equations give no positive σ².
    """
    ks = ints[ints[at.BLOCK_K] : ints[at.BLOCK_K] + ints[at.N_BLOCKS]]
    starts = np.append(0, np.cumsum(ks**2))
    left, right = _equations(ints, floats, starts)
    solution = np.linalg.lstsq(left, right)[0]
    if not solution[-1] > 0:
        return None
    lams = ints[ints[at.BLOCK_LAM] : ints[at.BLOCK_LAM] + len(ks)]
    out = {}
    for k, start, lam in zip(ks, starts, lams, strict=False):
        T = solution[start : start + k * k].reshape(k, k) / solution[-1]
        values, vectors = np.linalg.eigh(0.5 * (T + T.T))
        whiten = floats[ints[at.WHITEN] + lam : ints[at.WHITEN] + lam + k * k].reshape(k, k)
        root = np.linalg.solve(whiten, vectors * np.sqrt(np.clip(values, *RANGE)))
        out[int(lam)] = root @ root.T
    return [out[lam] for lam in sorted(out)]


@compiled
def _add_pair(
    left: Floats, row: int, column: int, G: Floats, first: int, stride: int, rows: int, columns: int
) -> None:
    """Add Σ G ⊗ G of one level pair: equations of its columns against unknowns of its rows."""
    for a in range(columns):
        for b in range(columns):
            for c in range(rows):
                for d in range(rows):
                    product = G[first + c * stride + a] * G[first + d * stride + b]
                    left[row + a * columns + b, column + c * rows + d] += product


@compiled
def _add_pair_transposed(
    left: Floats, row: int, column: int, G: Floats, first: int, stride: int, rows: int, columns: int
) -> None:
    """The same pair seen from its other level."""
    for a in range(rows):
        for b in range(rows):
            for c in range(columns):
                for d in range(columns):
                    product = G[first + a * stride + c] * G[first + b * stride + d]
                    left[row + a * rows + b, column + c * columns + d] += product


@compiled
def _equations(ints: Ints, floats: Floats, starts: Ints) -> tuple[Floats, Floats]:
    """Coefficients and right-hand side for the elements of σ²T of every block, and σ² last."""
    size = starts[-1]
    left, right = np.zeros((size + 1, size + 1)), np.zeros(size + 1)
    q_lead, q_tail, p = ints[at.Q_LEAD], ints[at.Q_TAIL], ints[at.P]
    for i in range(ints[at.N_NODES]):
        b = ints[ints[at.NODE_BLOCK] + i]
        k = ints[ints[at.BLOCK_K] + b]
        row0 = ints[at.ROWS] + ints[ints[at.ROW_START] + i]
        height = ints[ints[at.ROW_START] + i + 1] - ints[ints[at.ROW_START] + i]
        G = ints[at.PANELS] + ints[ints[at.PANEL_START] + i]
        y = G + (height - 1) * k
        for a in range(k):
            for c in range(k):
                at_ac = starts[b] + a * k + c
                left[at_ac, size] += floats[G + a * k + c]
                left[size, at_ac] += floats[G + a * k + c]
                right[at_ac] += floats[y + a] * floats[y + c]
        r = 0
        while r < height - p - 1:
            s = ints[ints[at.POSITION_BLOCK] + ints[row0 + r]]
            ks = ints[ints[at.BLOCK_K] + s]
            _add_pair(left, starts[b], starts[s], floats, G + r * k, k, ks, k)
            if r > 0:
                _add_pair_transposed(left, starts[s], starts[b], floats, G + r * k, k, ks, k)
            r += ks
    width, G = q_tail + p + 1, ints[at.TAIL]
    c = 0
    while c < q_tail:
        b = ints[ints[at.POSITION_BLOCK] + q_lead + c]
        k = ints[ints[at.BLOCK_K] + b]
        for i in range(k):
            for j in range(k):
                at_ij = starts[b] + i * k + j
                value = floats[G + (c + i) * width + c + j]
                left[at_ij, size] += value
                left[size, at_ij] += value
                right[at_ij] += (
                    floats[G + (c + i) * width + width - 1] * floats[G + (c + j) * width + width - 1]
                )
        r = 0
        while r < q_tail:
            s = ints[ints[at.POSITION_BLOCK] + q_lead + r]
            ks = ints[ints[at.BLOCK_K] + s]
            _add_pair(left, starts[b], starts[s], floats, G + r * width + c, width, ks, k)
            r += ks
        c += k
    left[size, size] = ints[at.N_ROWS] - p
    right[size] = floats[G + width * width - 1]
    return left, right

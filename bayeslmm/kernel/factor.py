"""The blocked factor: M = ΛᵀZᵀR⁻¹ZΛ + I = LLᵀ, bordered by ΛᵀZᵀ[Q r], so that what remains is A.

The chain's nodes are eliminated one by one (Bates et al. 2015, section 3; a multifrontal Cholesky factor of
depth the length of the chain); the tail is one dense matrix.
"""

import numpy as np

from bayeslmm.kernel import layout as at
from bayeslmm.kernel.blocks import Floats, Ints
from bayeslmm.kernel.compiled import compiled
from bayeslmm.kernel.dense import cholesky_leading


@compiled
def relative_factors(lam: Floats, ints: Ints, floats: Floats) -> Floats:
    """C⁻¹Λ of every block, at the places of Λ in `lam`: the factor of the whitened columns."""
    out = np.zeros(len(lam))
    for b in range(ints[at.N_BLOCKS]):
        k = ints[ints[at.BLOCK_K] + b]
        start = ints[ints[at.BLOCK_LAM] + b]
        for i in range(k):
            for j in range(k):
                for m in range(k):
                    out[start + i * k + j] += floats[start + i * k + m] * lam[start + m * k + j]
    return out


@compiled
def _rows_times(panel: Floats, first: int, k_rows: int, k: int, left: Floats, work: Floats) -> None:
    """Multiply `k_rows` rows of a panel from the left by the transpose of a factor, in place."""
    for c in range(k):
        for r in range(k_rows):
            work[r] = 0.0
            for m in range(k_rows):
                work[r] += left[m * k_rows + r] * panel[(first + m) * k + c]
        for r in range(k_rows):
            panel[(first + r) * k + c] = work[r]


@compiled
def _columns_times(panel: Floats, height: int, k: int, right: Floats, work: Floats) -> None:
    """Multiply all rows of a panel from the right by a factor, in place."""
    for r in range(height):
        for c in range(k):
            work[c] = 0.0
            for m in range(k):
                work[c] += panel[r * k + m] * right[m * k + c]
        for c in range(k):
            panel[r * k + c] = work[c]


@compiled
def scaled_panels(factors: Floats, ints: Ints, floats: Floats) -> Floats:
    """All panels of [ΛᵀGΛ + I; CᵀΛ], G and C the cross-products."""
    panels = floats[ints[at.PANELS] : ints[at.PANELS] + ints[at.N_PANEL]].copy()
    k_of, lam_of = ints[ints[at.BLOCK_K] :], ints[ints[at.BLOCK_LAM] :]
    rows, block_of = ints[ints[at.ROWS] :], ints[ints[at.POSITION_BLOCK] :]
    p1 = ints[at.P] + 1
    work = np.empty(len(factors) + 1)
    for i in range(ints[at.N_NODES]):
        b = ints[ints[at.NODE_BLOCK] + i]
        k = k_of[b]
        first_row = ints[ints[at.ROW_START] + i]
        height = ints[ints[at.ROW_START] + i + 1] - first_row
        start = ints[ints[at.PANEL_START] + i]
        panel = panels[start : start + height * k]
        _columns_times(panel, height, k, factors[lam_of[b] : lam_of[b] + k * k], work)
        r = 0
        while r < height - p1:
            s = block_of[rows[first_row + r]]
            _rows_times(panel, r, k_of[s], k, factors[lam_of[s] : lam_of[s] + k_of[s] ** 2], work)
            r += k_of[s]
        for c in range(k):
            panel[c * k + c] += 1.0
    return panels


@compiled
def scaled_tail(factors: Floats, ints: Ints, floats: Floats) -> Floats:
    """The dense tail of ΛᵀGΛ + I bordered by CᵀΛ and [Q r]ᵀ[Q r]; lower triangle."""
    q_tail, p1 = ints[at.Q_TAIL], ints[at.P] + 1
    width = q_tail + p1
    tail = floats[ints[at.TAIL] : ints[at.TAIL] + width * width].copy().reshape(width, width)
    k_of, lam_of = ints[ints[at.BLOCK_K] :], ints[ints[at.BLOCK_LAM] :]
    block_of = ints[ints[at.POSITION_BLOCK] + ints[at.Q_LEAD] :]
    work = np.empty(len(factors) + 1)
    c = 0
    while c < q_tail:
        b = block_of[c]
        k = k_of[b]
        factor = factors[lam_of[b] : lam_of[b] + k * k]
        for r in range(c, width):
            for j in range(k):
                work[j] = 0.0
                for m in range(k):
                    work[j] += tail[r, c + m] * factor[m * k + j]
            for j in range(k):
                tail[r, c + j] = work[j]
        for j in range(c + k):
            for i in range(k):
                work[i] = 0.0
                for m in range(k):
                    work[i] += factor[m * k + i] * tail[c + m, j]
            for i in range(k):
                tail[c + i, j] = work[i]
        for j in range(k):
            tail[c + j, c + j] += 1.0
        c += k
    return tail


@compiled
def _factor_node(panel: Floats, height: int, k: int) -> float:
    """Cholesky factor of the node's own rows, L⁻ᵀ applied to the rest; returns log|L|² or -inf."""
    logdet = 0.0
    for c in range(k):
        pivot = panel[c * k + c]
        for m in range(c):
            pivot -= panel[c * k + m] ** 2
        if not pivot > 0.0:
            return -np.inf
        pivot = np.sqrt(pivot)
        logdet += 2.0 * np.log(pivot)
        panel[c * k + c] = pivot
        for r in range(c + 1, height):
            x = panel[r * k + c]
            for m in range(c):
                x -= panel[r * k + m] * panel[c * k + m]
            panel[r * k + c] = x / pivot
        for r in range(c):
            panel[r * k + c] = 0.0
    return logdet


@compiled
def _update_tail(panel: Floats, rows: Ints, first: int, height: int, k: int, q_lead: int, tail: Floats) -> None:
    for r in range(first, height):
        target = tail[rows[r] - q_lead]
        for c in range(first, r + 1):
            x = 0.0
            for m in range(k):
                x += panel[r * k + m] * panel[c * k + m]
            target[rows[c] - q_lead] -= x


@compiled
def eliminate_chain(panels: Floats, tail: Floats, ints: Ints) -> float:
    """Eliminate the nodes in place: panels become columns of L, the tail its Schur complement.

    Returns
    -------
    log|L|² of the chain, or -inf where M is not positive definite in floating point.
    """
    logdet = 0.0
    k_of, q_lead = ints[ints[at.BLOCK_K] :], ints[at.Q_LEAD]
    for i in range(ints[at.N_NODES]):
        k = k_of[ints[ints[at.NODE_BLOCK] + i]]
        first_row = ints[ints[at.ROW_START] + i]
        height = ints[ints[at.ROW_START] + i + 1] - first_row
        start = ints[ints[at.PANEL_START] + i]
        panel = panels[start : start + height * k]
        logdet += _factor_node(panel, height, k)
        if not np.isfinite(logdet):
            return -np.inf
        first = k
        for s in range(ints[ints[at.ANCESTOR_START] + i], ints[ints[at.ANCESTOR_START] + i + 1]):
            ancestor = ints[ints[at.ANCESTORS] + s]
            up_k = k_of[ints[ints[at.NODE_BLOCK] + ancestor]]
            up = panels[ints[ints[at.PANEL_START] + ancestor] : ints[ints[at.PANEL_START] + ancestor + 1]]
            there = ints[ints[at.RELATIVE] + ints[ints[at.RELATIVE_START] + s] :]
            for r in range(first, height):
                for c in range(up_k):
                    x = 0.0
                    for m in range(k):
                        x += panel[r * k + m] * panel[(first + c) * k + m]
                    up[there[r - first] * up_k + c] -= x
            first += up_k
        rows = ints[ints[at.ROWS] + first_row : ints[at.ROWS] + first_row + height]
        _update_tail(panel, rows, first, height, k, q_lead, tail)
    return logdet


@compiled
def read_moments(tail: Floats, ints: Ints) -> Floats:
    """A = [Q r]ᵀV₀⁻¹[Q r], the Schur complement that remains; symmetric (p + 1, p + 1)."""
    p1 = ints[at.P] + 1
    A = np.empty((p1, p1))
    for i in range(p1):
        for j in range(i + 1):
            A[i, j] = tail[ints[at.Q_TAIL] + i, ints[at.Q_TAIL] + j]
            A[j, i] = A[i, j]
    return A


@compiled
def factor(lam: Floats, ints: Ints, floats: Floats) -> tuple[float, Floats, Floats, Floats]:
    """Factor the bordered system at Λ.

    Parameters
    ----------
    lam : (n_lam,) Λ of each block in public order, row-major. ints, floats : the packed problem.

    Returns
    -------
    logdet : log|V₀| = log|L|² + log|R|, or -inf. A : (p + 1, p + 1) moments [Q r]ᵀV₀⁻¹[Q r].
    panels, tail : the columns of L, bordered by W = L⁻¹ΛᵀZᵀ[Q r].
    """
    factors = relative_factors(lam, ints, floats)
    panels = scaled_panels(factors, ints, floats)
    tail = scaled_tail(factors, ints, floats)
    logdet = eliminate_chain(panels, tail, ints)
    if np.isfinite(logdet):
        logdet += cholesky_leading(tail, ints[at.Q_TAIL])
    return logdet + floats[ints[at.CONSTANTS]], read_moments(tail, ints), panels, tail

"""The blocked factor: M = ΛᵀZᵀR⁻¹ZΛ + I = LLᵀ, bordered by ΛᵀZᵀ[Q r], so that what remains is A.

The chain's nodes are eliminated one by one (Bates et al. 2015, section 3; a multifrontal Cholesky factor of
depth the length of the chain); the tail is one dense matrix.
"""

import numpy as np

from bayeslmm.kernel import layout as at
from bayeslmm.kernel.blocks import Floats, Ints
from bayeslmm.kernel.compiled import compiled, inlined
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


@inlined
def scaled_panels(factors: Floats, ints: Ints, floats: Floats) -> Floats:
    """All panels of [ΛᵀGΛ + I; CᵀΛ], G and C the cross-products; own rows that another has are left out."""
    panels = np.empty(ints[at.N_PANEL])
    work = np.empty(len(factors) + 1)
    for i in range(ints[at.N_NODES]):
        b = ints[ints[at.NODE_BLOCK] + i]
        k, lam = ints[ints[at.BLOCK_K] + b], ints[ints[at.BLOCK_LAM] + b]
        row0 = ints[at.ROWS] + ints[ints[at.ROW_START] + i]
        height = ints[ints[at.ROW_START] + i + 1] - ints[ints[at.ROW_START] + i]
        to = ints[ints[at.PANEL_START] + i]
        source = ints[at.PANELS] + to
        own = k if ints[ints[at.NODE_LIKE] + i] == i else 0
        for r in range(k - own, height):
            for c in range(k):
                x = 0.0
                for m in range(k):
                    x += floats[source + r * k + m] * factors[lam + m * k + c]
                panels[to + r * k + c] = x
        r = k - own
        while r < height - ints[ints[at.NODE_BORDER] + i]:
            s = ints[ints[at.POSITION_BLOCK] + ints[row0 + r]]
            ks, left = ints[ints[at.BLOCK_K] + s], ints[ints[at.BLOCK_LAM] + s]
            if ks == 1:
                for c in range(k):
                    panels[to + r * k + c] *= factors[left]
                r += 1
                continue
            for c in range(k):
                for j in range(ks):
                    work[j] = 0.0
                    for m in range(ks):
                        work[j] += factors[left + m * ks + j] * panels[to + (r + m) * k + c]
                for j in range(ks):
                    panels[to + (r + j) * k + c] = work[j]
            r += ks
        for c in range(own):
            panels[to + c * k + c] += 1.0
    return panels


@compiled
def _add_scaled_row(out: Floats, left: float, row: Floats, stop: int, factors: Floats, ints: Ints) -> None:
    """Add `left` times a row of the tail's cross-products, times Λ, up to column `stop`."""
    for b in range(ints[at.N_BLOCKS]):
        k, lam = ints[ints[at.BLOCK_K] + b], ints[ints[at.BLOCK_LAM] + b]
        first = ints[ints[at.TAIL_START] + b]
        levels = (min(ints[ints[at.TAIL_START] + b + 1], stop) - first) // k
        for m in range(k):
            for j in range(k):
                x = left * factors[lam + m * k + j]
                if x != 0.0:
                    for level in range(levels):
                        out[first + level * k + j] += x * row[first + level * k + m]


@inlined
def scaled_tail(factors: Floats, ints: Ints, floats: Floats) -> Floats:
    """The dense tail of ΛᵀGΛ + I bordered by CᵀΛ and [Q r]ᵀ[Q r]; lower triangle, the rest undefined."""
    q_tail = ints[at.Q_TAIL]
    width = q_tail + ints[at.P] + 1
    G = floats[ints[at.TAIL] : ints[at.TAIL] + width * width].reshape(width, width)
    tail = np.empty((width, width))
    for r in range(width):
        for c in range(r + 1):
            tail[r, c] = 0.0 if c < q_tail else G[r, c]
        if r >= q_tail and q_tail > 0:
            _add_scaled_row(tail[r], 1.0, G[r], q_tail, factors, ints)
    for b in range(ints[at.N_BLOCKS]):
        k, lam = ints[ints[at.BLOCK_K] + b], ints[ints[at.BLOCK_LAM] + b]
        for c in range(ints[ints[at.TAIL_START] + b], ints[ints[at.TAIL_START] + b + 1], k):
            for i in range(k):
                for m in range(k):
                    left = factors[lam + m * k + i]
                    _add_scaled_row(tail[c + i], left, G[c + m], c + k, factors, ints)
                tail[c + i, c + i] += 1.0
    return tail


@inlined
def factor_node(panels: Floats, start: int, k: int) -> float:
    """Cholesky factor of the node's own rows in place; returns log|L|² or -inf."""
    logdet = 0.0
    for c in range(k):
        pivot = panels[start + c * k + c]
        for m in range(c):
            pivot -= panels[start + c * k + m] * panels[start + c * k + m]
        if not pivot > 0.0:
            return -np.inf
        pivot = np.sqrt(pivot)
        logdet += 2.0 * np.log(pivot)
        panels[start + c * k + c] = pivot
        for r in range(c + 1, k):
            x = panels[start + r * k + c]
            for m in range(c):
                x -= panels[start + r * k + m] * panels[start + c * k + m]
            panels[start + r * k + c] = x / pivot
        for r in range(c):
            panels[start + r * k + c] = 0.0
    return logdet


@inlined
def apply_node(panels: Floats, own: int, start: int, stop: int, k: int) -> None:
    """Apply L⁻ᵀ, L the own rows at `own`, to the rows of a panel from `start` to `stop`, in place."""
    for row in range(start, stop, k):
        for c in range(k):
            x = panels[row + c]
            for m in range(c):
                x -= panels[row + m] * panels[own + c * k + m]
            panels[row + c] = x / panels[own + c * k + c]


@inlined
def eliminate_chain(panels: Floats, tail: Floats, ints: Ints, floats: Floats) -> float:
    """Eliminate the nodes in place: panels become columns of L, the tail its Schur complement.

    Own rows that another node has stay undefined.

    Returns
    -------
    log|L|² of the chain, nodes by their weights, or -inf where M is not positive definite in floating point.
    """
    logdet, q_lead = 0.0, ints[at.Q_LEAD]
    for i in range(ints[at.N_NODES]):
        k = ints[ints[at.BLOCK_K] + ints[ints[at.NODE_BLOCK] + i]]
        row0 = ints[at.ROWS] + ints[ints[at.ROW_START] + i]
        height = ints[ints[at.ROW_START] + i + 1] - ints[ints[at.ROW_START] + i]
        start = ints[ints[at.PANEL_START] + i]
        like = ints[ints[at.NODE_LIKE] + i]
        if like == i:
            logdet += floats[ints[at.NODE_WEIGHT] + i] * factor_node(panels, start, k)
        if not np.isfinite(logdet):
            return -np.inf
        apply_node(panels, ints[ints[at.PANEL_START] + like], start + k * k, start + height * k, k)
        first = k
        for s in range(ints[ints[at.ANCESTOR_START] + i], ints[ints[at.ANCESTOR_START] + i + 1]):
            ancestor = ints[ints[at.ANCESTORS] + s]
            up_k = ints[ints[at.BLOCK_K] + ints[ints[at.NODE_BLOCK] + ancestor]]
            up = ints[ints[at.PANEL_START] + ancestor]
            there = ints[at.RELATIVE] + ints[ints[at.RELATIVE_START] + s] - first
            for r in range(first, height):
                for c in range(up_k):
                    x = 0.0
                    for m in range(k):
                        x += panels[start + r * k + m] * panels[start + (first + c) * k + m]
                    panels[up + ints[there + r] * up_k + c] -= x
            first += up_k
        rows, panel = ints[row0 + first : row0 + height], panels[start + first * k : start + height * k]
        for r in range(height - first):
            row = tail[rows[r] - q_lead]
            for m in range(k):
                x = panel[r * k + m]
                for c in range(r + 1):
                    row[rows[c] - q_lead] -= x * panel[c * k + m]
    return logdet


@inlined
def read_moments(tail: Floats, ints: Ints) -> Floats:
    """A = [Q r]ᵀV₀⁻¹[Q r], the Schur complement that remains; symmetric (p + 1, p + 1)."""
    p1 = ints[at.P] + 1
    A = np.empty((p1, p1))
    for i in range(p1):
        for j in range(i + 1):
            A[i, j] = tail[ints[at.Q_TAIL] + i, ints[at.Q_TAIL] + j]
            A[j, i] = A[i, j]
    return A


@inlined
def right_sides(panels: Floats, tail: Floats, ints: Ints) -> Floats:
    """The border of panels and tail, (q, p + 1), rows in elimination order; of a factor, L⁻¹ΛᵀZᵀR⁻¹[Q r]."""
    q_lead, q_tail, p1 = ints[at.Q_LEAD], ints[at.Q_TAIL], ints[at.P] + 1
    W = np.empty((q_lead + q_tail, p1))
    for r in range(q_tail):
        for c in range(p1):
            W[q_lead + r, c] = tail[q_tail + c, r]
    for i in range(ints[at.N_NODES]):
        k = ints[ints[at.BLOCK_K] + ints[ints[at.NODE_BLOCK] + i]]
        row0 = ints[at.ROWS] + ints[ints[at.ROW_START] + i]
        border = ints[ints[at.PANEL_START] + i + 1] - p1 * k
        for c in range(k):
            for j in range(p1):
                W[ints[row0 + c], j] = panels[border + j * k + c]
    return W


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
    logdet = eliminate_chain(panels, tail, ints, floats)
    if np.isfinite(logdet):
        logdet += cholesky_leading(tail, ints[at.Q_TAIL])
    return logdet + floats[ints[at.CONSTANTS]], read_moments(tail, ints), panels, tail

"""Derivatives of (log|V₀|, A) with respect to Λ, finite at Λ = 0, by the selected inverse of M.

With u = M⁻¹ΛᵀC the spherical solutions and U = ZᵀV₀⁻¹[Q r] = C − GΛu (G, C the cross-products):

    d log|V₀| = 2 Σ_j tr((GΛM⁻¹)_jjᵀ dΛ),      d tr(ĀA) = −2 Σ_j tr((U_j Ā u_jᵀ)ᵀ dΛ).

M⁻¹ is needed at the blocks of G's pattern only.
"""

import numpy as np

from bayeslmm.kernel import layout as at
from bayeslmm.kernel.blocks import Floats, Ints
from bayeslmm.kernel.compiled import compiled
from bayeslmm.kernel.dense import inverse_from_cholesky
from bayeslmm.kernel.factor import relative_factors


@compiled
def tail_solution(tail: Floats, ints: Ints) -> Floats:
    """u of the tail: L⁻ᵀW by back substitution; (q_tail, p + 1)."""
    q_tail, p1 = ints[at.Q_TAIL], ints[at.P] + 1
    u = np.empty((q_tail, p1))
    for r in range(q_tail - 1, -1, -1):
        for c in range(p1):
            u[r, c] = tail[q_tail + c, r]
    for r in range(q_tail - 1, -1, -1):
        for c in range(p1):
            u[r, c] /= tail[r, r]
        for m in range(r):
            for c in range(p1):
                u[m, c] -= tail[r, m] * u[r, c]
    return u


@compiled
def spherical_solution(panels: Floats, tail: Floats, ints: Ints) -> Floats:
    """u = L⁻ᵀW = M⁻¹ΛᵀZᵀR⁻¹[Q r], (q, p + 1), rows in elimination order."""
    q_lead, q_tail, p1 = ints[at.Q_LEAD], ints[at.Q_TAIL], ints[at.P] + 1
    u = np.empty((q_lead + q_tail, p1))
    u[q_lead:] = tail_solution(tail, ints)
    for i in range(ints[at.N_NODES] - 1, -1, -1):
        k = ints[ints[at.BLOCK_K] + ints[ints[at.NODE_BLOCK] + i]]
        first_row = ints[ints[at.ROW_START] + i]
        height = ints[ints[at.ROW_START] + i + 1] - first_row
        panel = panels[ints[ints[at.PANEL_START] + i] : ints[ints[at.PANEL_START] + i + 1]]
        rows = ints[ints[at.ROWS] + first_row : ints[at.ROWS] + first_row + height]
        for c in range(k - 1, -1, -1):
            for j in range(p1):
                x = panel[(height - p1 + j) * k + c]
                for r in range(c + 1, height - p1):
                    x -= panel[r * k + c] * u[rows[r], j]
                u[rows[c], j] = x / panel[c * k + c]
    return u


@compiled
def _gather(i: int, selected: Floats, inverse: Floats, ints: Ints, k: int, below: int, out: Floats) -> None:
    """M⁻¹ among the rows below node i's own (`below` of them), from what is already computed."""
    first_row = ints[ints[at.ROW_START] + i] + k
    rows = ints[ints[at.ROWS] + first_row : ints[at.ROWS] + first_row + below]
    q_lead = ints[at.Q_LEAD]
    first = 0
    for s in range(ints[ints[at.ANCESTOR_START] + i], ints[ints[at.ANCESTOR_START] + i + 1]):
        ancestor = ints[ints[at.ANCESTORS] + s]
        up_k = ints[ints[at.BLOCK_K] + ints[ints[at.NODE_BLOCK] + ancestor]]
        up = selected[ints[ints[at.PANEL_START] + ancestor] : ints[ints[at.PANEL_START] + ancestor + 1]]
        there = ints[ints[at.RELATIVE] + ints[ints[at.RELATIVE_START] + s] :]
        for r in range(first, below):
            for c in range(up_k):
                out[r, first + c] = up[there[r - first] * up_k + c]
                out[first + c, r] = out[r, first + c]
        first += up_k
    for r in range(first, below):
        source = inverse[rows[r] - q_lead]
        for c in range(first, below):
            out[r, c] = source[rows[c] - q_lead]


@compiled
def selected_inverse(panels: Floats, inverse: Floats, ints: Ints) -> Floats:
    """M⁻¹ at the pattern of the panels (Takahashi's recursion), laid out as the panels are.

    Parameters
    ----------
    panels : columns of L. inverse : (q_tail, q_tail) M⁻¹ of the tail.
    """
    selected = np.zeros(len(panels))
    p1 = ints[at.P] + 1
    tallest = 0
    for i in range(ints[at.N_NODES]):
        tallest = max(tallest, ints[ints[at.ROW_START] + i + 1] - ints[ints[at.ROW_START] + i])
    work = np.empty((tallest, tallest))
    for i in range(ints[at.N_NODES] - 1, -1, -1):
        k = ints[ints[at.BLOCK_K] + ints[ints[at.NODE_BLOCK] + i]]
        below = ints[ints[at.ROW_START] + i + 1] - ints[ints[at.ROW_START] + i] - p1 - k
        start, stop = ints[ints[at.PANEL_START] + i], ints[ints[at.PANEL_START] + i + 1]
        panel, out = panels[start:stop], selected[start:stop]
        _gather(i, selected, inverse, ints, k, below, work)
        for c in range(k - 1, -1, -1):
            pivot = panel[c * k + c]
            for r in range(below):
                x = 0.0
                for m in range(below):
                    x -= work[r, m] * panel[(k + m) * k + c]
                for m in range(c + 1, k):
                    x -= out[(k + r) * k + m] * panel[m * k + c]
                out[(k + r) * k + c] = x / pivot
            for r in range(k - 1, c - 1, -1):
                x = 1.0 / pivot if r == c else 0.0
                for m in range(below):
                    x -= panel[(k + m) * k + c] * out[(k + m) * k + r]
                for m in range(c + 1, k):
                    x -= panel[m * k + c] * out[max(m, r) * k + min(m, r)]
                out[r * k + c] = x / pivot
        for c in range(k):
            for r in range(c):
                out[r * k + c] = out[c * k + r]
    return selected


@compiled
def _add_product(a: Floats, b: Floats, out: Floats) -> None:
    for i in range(out.shape[0]):
        for j in range(out.shape[1]):
            for m in range(a.shape[1]):
                out[i, j] += a[i, m] * b[m, j]


@compiled
def _add_product_ta(a: Floats, b: Floats, out: Floats) -> None:
    for i in range(out.shape[0]):
        for j in range(out.shape[1]):
            for m in range(a.shape[0]):
                out[i, j] += a[m, i] * b[m, j]


@compiled
def _chain_terms(
    factors: Floats, ints: Ints, floats: Floats, selected: Floats, v: Floats, U: Floats, GLM: Floats
) -> None:
    """Add the chain's share of GΛM⁻¹ (diagonal blocks) to `GLM`; take G v off `U` and put C in."""
    p1 = ints[at.P] + 1
    k_of, lam_of = ints[ints[at.BLOCK_K] :], ints[ints[at.BLOCK_LAM] :]
    block_of = ints[ints[at.POSITION_BLOCK] :]
    for i in range(ints[at.N_NODES]):
        b = ints[ints[at.NODE_BLOCK] + i]
        k, lam = k_of[b], lam_of[b]
        first_row = ints[ints[at.ROW_START] + i]
        height = ints[ints[at.ROW_START] + i + 1] - first_row
        start, stop = ints[ints[at.PANEL_START] + i], ints[ints[at.PANEL_START] + i + 1]
        G = floats[ints[at.PANELS] + start : ints[at.PANELS] + stop].reshape(height, k)
        S = selected[start:stop].reshape(height, k)
        rows = ints[ints[at.ROWS] + first_row : ints[at.ROWS] + first_row + height]
        own = rows[0]
        for j in range(p1):
            for c in range(k):
                U[own + c, j] += G[height - p1 + j, c]
        grad = GLM[lam : lam + k * k].reshape(k, k)
        factor = factors[lam : lam + k * k].reshape(k, k)
        r = 0
        while r < height - p1:
            s = block_of[rows[r]]
            ks = k_of[s]
            Gs, Ss, there = G[r : r + ks], S[r : r + ks], rows[r]
            up = factors[lam_of[s] : lam_of[s] + ks * ks].reshape(ks, ks)
            product = np.zeros((ks, k))
            _add_product(up, Ss, product)
            _add_product_ta(Gs, product, grad)
            if r == 0:
                for c in range(k):
                    for m in range(k):
                        for j in range(p1):
                            U[own + c, j] -= G[c, m] * v[own + m, j]
            else:
                product[:] = 0.0
                _add_product(Gs, factor, product)
                _add_product(product, Ss.T, GLM[lam_of[s] : lam_of[s] + ks * ks].reshape(ks, ks))
                for c in range(k):
                    for m in range(ks):
                        for j in range(p1):
                            U[own + c, j] -= Gs[m, c] * v[there + m, j]
                            U[there + m, j] -= Gs[m, c] * v[own + c, j]
            r += ks


@compiled
def _tail_terms(factors: Floats, ints: Ints, floats: Floats, inverse: Floats, v: Floats, U: Floats, GLM: Floats) -> None:
    """The tail's share, as `_chain_terms`."""
    q_lead, q_tail, p1 = ints[at.Q_LEAD], ints[at.Q_TAIL], ints[at.P] + 1
    width = q_tail + p1
    G = floats[ints[at.TAIL] : ints[at.TAIL] + width * width].reshape(width, width)
    k_of, lam_of = ints[ints[at.BLOCK_K] :], ints[ints[at.BLOCK_LAM] :]
    block_of = ints[ints[at.POSITION_BLOCK] + q_lead :]
    for r in range(q_tail):
        for j in range(p1):
            x = G[r, q_tail + j]
            for m in range(q_tail):
                x -= G[r, m] * v[q_lead + m, j]
            U[q_lead + r, j] += x
    c = 0
    while c < q_tail:
        b = block_of[c]
        k, lam = k_of[b], lam_of[b]
        r = 0
        while r < q_tail:
            s = block_of[r]
            ks, up = k_of[s], lam_of[s]
            for i in range(k):
                for a in range(ks):
                    x = 0.0
                    for m in range(ks):
                        x += G[c + i, r + m] * factors[up + m * ks + a]
                    if x != 0.0:
                        for j in range(k):
                            GLM[lam + i * k + j] += x * inverse[r + a, c + j]
            r += ks
        c += k


@compiled
def _scaled_solution(factors: Floats, ints: Ints, u: Floats) -> Floats:
    """C⁻¹Λu, rows in elimination order."""
    v = np.zeros(u.shape)
    block_of = ints[ints[at.POSITION_BLOCK] :]
    r = 0
    while r < u.shape[0]:
        b = block_of[r]
        k = ints[ints[at.BLOCK_K] + b]
        lam = ints[ints[at.BLOCK_LAM] + b]
        for i in range(k):
            for m in range(k):
                for j in range(u.shape[1]):
                    v[r + i, j] += factors[lam + i * k + m] * u[r + m, j]
        r += k
    return v


@compiled
def assemble(
    logdet_bar: float, A_bar: Floats, lam: Floats, ints: Ints, floats: Floats, u: Floats, selected: Floats, inverse: Floats
) -> Floats:
    """Pull cotangents of (log|V₀|, A) back to Λ; see the head of this file.

    Parameters
    ----------
    logdet_bar : of log|V₀|. A_bar : (p + 1, p + 1), symmetric, of A.

    Returns
    -------
    lam_bar : (n_lam,) laid out as `lam`.
    """
    factors = relative_factors(lam, ints, floats)
    v = _scaled_solution(factors, ints, u)
    U = np.zeros(u.shape)
    grad = np.zeros(len(lam))
    _chain_terms(factors, ints, floats, selected, v, U, grad)
    _tail_terms(factors, ints, floats, inverse, v, U, grad)
    grad *= 2.0 * logdet_bar
    block_of = ints[ints[at.POSITION_BLOCK] :]
    p1 = u.shape[1]
    r = 0
    while r < u.shape[0]:
        b = block_of[r]
        k = ints[ints[at.BLOCK_K] + b]
        start = ints[ints[at.BLOCK_LAM] + b]
        for i in range(k):
            for m in range(p1):
                x = 0.0
                for c in range(p1):
                    x += U[r + i, c] * A_bar[c, m]
                for j in range(k):
                    grad[start + i * k + j] -= 2.0 * x * u[r + j, m]
        r += k
    return _unwhiten(grad, ints, floats)


@compiled
def _unwhiten(grad: Floats, ints: Ints, floats: Floats) -> Floats:
    """From d/d(C⁻¹Λ) to d/dΛ: C⁻ᵀ from the left."""
    out = np.zeros(len(grad))
    for b in range(ints[at.N_BLOCKS]):
        k = ints[ints[at.BLOCK_K] + b]
        start = ints[ints[at.BLOCK_LAM] + b]
        for i in range(k):
            for j in range(k):
                for m in range(k):
                    out[start + i * k + j] += floats[start + m * k + i] * grad[start + m * k + j]
    return out


@compiled
def pullback(
    logdet_bar: float, A_bar: Floats, lam: Floats, ints: Ints, floats: Floats, panels: Floats, tail: Floats
) -> Floats:
    """`assemble` from a factor: solution, inverse of the tail, selected inverse, derivative."""
    u = spherical_solution(panels, tail, ints)
    inverse = inverse_from_cholesky(tail, ints[at.Q_TAIL])
    selected = selected_inverse(panels, inverse, ints)
    return assemble(logdet_bar, A_bar, lam, ints, floats, u, selected, inverse)

"""Derivatives of (log|V₀|, A) with respect to Λ, finite at Λ = 0, by the selected inverse of M.

With u = M⁻¹ΛᵀC the spherical solutions and U = ZᵀV₀⁻¹[Q r] = C − GΛu (G, C the cross-products):

    d log|V₀| = 2 Σ_j tr((GΛM⁻¹)_jjᵀ dΛ),      d tr(ĀA) = −2 Σ_j tr((U_j Ā u_jᵀ)ᵀ dΛ).

M⁻¹ is needed at the blocks of G's pattern only.
"""

import numpy as np

from bayeslmm.kernel import layout as at
from bayeslmm.kernel.blocks import Floats, Ints
from bayeslmm.kernel.compiled import compiled, inlined
from bayeslmm.kernel.dense import solve_rows_transposed
from bayeslmm.kernel.factor import relative_factors


@compiled
def spherical_solution(panels: Floats, tail: Floats, ints: Ints) -> Floats:
    """u = L⁻ᵀW = M⁻¹ΛᵀZᵀR⁻¹[Q r] by back substitution, (q, p + 1), rows in elimination order."""
    q_lead, q_tail, p1 = ints[at.Q_LEAD], ints[at.Q_TAIL], ints[at.P] + 1
    u = np.zeros((q_lead + q_tail, p1))
    if q_tail > 0:
        W = tail[q_tail:, :q_tail].copy()
        solve_rows_transposed(tail, W)
        for r in range(q_tail):
            for c in range(p1):
                u[q_lead + r, c] = W[c, r]
    for i in range(ints[at.N_NODES] - 1, -1, -1):
        k = ints[ints[at.BLOCK_K] + ints[ints[at.NODE_BLOCK] + i]]
        row0 = ints[at.ROWS] + ints[ints[at.ROW_START] + i]
        height = ints[ints[at.ROW_START] + i + 1] - ints[ints[at.ROW_START] + i]
        border = height - ints[ints[at.NODE_BORDER] + i]
        rest = ints[ints[at.PANEL_START] + i]
        start = ints[ints[at.PANEL_START] + ints[ints[at.NODE_LIKE] + i]]
        for c in range(k - 1, -1, -1):
            own, j = ints[row0 + c], p1
            for b in range(height - 1, border - 1, -1):
                j -= 1
                x = panels[rest + b * k + c]
                for r in range(c + 1, k):
                    x -= panels[start + r * k + c] * u[ints[row0 + r], j]
                for r in range(k, border):
                    x -= panels[rest + r * k + c] * u[ints[row0 + r], j]
                u[own, j] = x / panels[start + c * k + c]
    return u


@inlined
def _below_times(
    i: int, k: int, below: int, panels: Floats, selected: Floats, inverse: Floats, ints: Ints, out: Floats
) -> None:
    """M⁻¹ among the rows below node i's own (`below` of them) times L there; (below, k) into `out`."""
    row0 = ints[at.ROWS] + ints[ints[at.ROW_START] + i] + k
    L = ints[ints[at.PANEL_START] + i] + k * k
    q_lead = ints[at.Q_LEAD]
    for r in range(below * k):
        out[r] = 0.0
    first = 0
    for s in range(ints[ints[at.ANCESTOR_START] + i], ints[ints[at.ANCESTOR_START] + i + 1]):
        ancestor = ints[ints[at.ANCESTORS] + s]
        up_k = ints[ints[at.BLOCK_K] + ints[ints[at.NODE_BLOCK] + ancestor]]
        up = ints[ints[at.PANEL_START] + ancestor]
        there = ints[at.RELATIVE] + ints[ints[at.RELATIVE_START] + s] - first
        for r in range(first, below):
            for c in range(first, min(first + up_k, r + 1)):
                x = selected[up + ints[there + r] * up_k + c - first]
                for m in range(k):
                    out[r * k + m] += x * panels[L + c * k + m]
                    if c < r:
                        out[c * k + m] += x * panels[L + r * k + m]
        first += up_k
    rows, panel = ints[row0 + first : row0 + below], panels[L + first * k : L + below * k]
    there = first * k
    for r in range(below - first):
        row = inverse[rows[r] - q_lead]
        for m in range(k):
            y = panel[r * k + m]
            z = row[rows[r] - q_lead] * y
            for c in range(r):
                x = row[rows[c] - q_lead]
                z += x * panel[c * k + m]
                out[there + c * k + m] += x * y
            out[there + r * k + m] += z


@compiled
def selected_inverse(panels: Floats, inverse: Floats, ints: Ints) -> Floats:
    """M⁻¹ at the pattern of the panels (Takahashi's recursion), laid out as the panels are.

    Nodes that share another's own rows have none.

    Parameters
    ----------
    panels : columns of L. inverse : (q_tail, q_tail) M⁻¹ of the tail, lower triangle used.
    """
    selected = np.zeros(len(panels))
    work = np.empty(len(panels) + 1)
    for i in range(ints[at.N_NODES] - 1, -1, -1):
        if ints[ints[at.NODE_LIKE] + i] < i:
            continue
        k = ints[ints[at.BLOCK_K] + ints[ints[at.NODE_BLOCK] + i]]
        border = ints[ints[at.NODE_BORDER] + i]
        below = ints[ints[at.ROW_START] + i + 1] - ints[ints[at.ROW_START] + i] - border - k
        own = ints[ints[at.PANEL_START] + i]
        rest = own + k * k
        _below_times(i, k, below, panels, selected, inverse, ints, work)
        for c in range(k - 1, -1, -1):
            pivot = panels[own + c * k + c]
            for r in range(below):
                x = -work[r * k + c]
                for m in range(c + 1, k):
                    x -= selected[rest + r * k + m] * panels[own + m * k + c]
                selected[rest + r * k + c] = x / pivot
            for r in range(k - 1, c - 1, -1):
                x = 1.0 / pivot if r == c else 0.0
                for m in range(below):
                    x -= panels[rest + m * k + c] * selected[rest + m * k + r]
                for m in range(c + 1, k):
                    x -= panels[own + m * k + c] * selected[own + max(m, r) * k + min(m, r)]
                selected[own + r * k + c] = x / pivot
        for c in range(k):
            for r in range(c):
                selected[own + r * k + c] = selected[own + c * k + r]
    return selected


@inlined
def _chain_traces(factors: Floats, ints: Ints, floats: Floats, selected: Floats, GLM: Floats) -> None:
    """Add the chain's share of GΛM⁻¹ (diagonal blocks) to `GLM`."""
    for i in range(ints[at.N_NODES]):
        if ints[ints[at.NODE_LIKE] + i] < i:
            continue
        b = ints[ints[at.NODE_BLOCK] + i]
        k, lam = ints[ints[at.BLOCK_K] + b], ints[ints[at.BLOCK_LAM] + b]
        row0 = ints[at.ROWS] + ints[ints[at.ROW_START] + i]
        height = ints[ints[at.ROW_START] + i + 1] - ints[ints[at.ROW_START] + i]
        S = ints[ints[at.PANEL_START] + i]
        weight = floats[ints[at.NODE_WEIGHT] + i]
        G = ints[at.PANELS] + S
        r = 0
        while r < height - ints[ints[at.NODE_BORDER] + i]:
            s = ints[ints[at.POSITION_BLOCK] + ints[row0 + r]]
            ks, up = ints[ints[at.BLOCK_K] + s], ints[ints[at.BLOCK_LAM] + s]
            for a in range(ks):
                row = (r + a) * k
                for c in range(k):
                    x = 0.0
                    for m in range(ks):
                        x += weight * factors[up + a * ks + m] * selected[S + (r + m) * k + c]
                    for m in range(k):
                        GLM[lam + m * k + c] += floats[G + row + m] * x
                    if r > 0:
                        y = 0.0
                        for m in range(k):
                            y += floats[G + row + m] * factors[lam + m * k + c]
                        for m in range(ks):
                            GLM[up + a * ks + m] += y * selected[S + (r + m) * k + c]
            r += ks


@inlined
def _chain_residuals(ints: Ints, floats: Floats, v: Floats, U: Floats) -> None:
    """The chain's share of U = C − Gv, added to `U`."""
    p1 = ints[at.P] + 1
    for i in range(ints[at.N_NODES]):
        k = ints[ints[at.BLOCK_K] + ints[ints[at.NODE_BLOCK] + i]]
        row0 = ints[at.ROWS] + ints[ints[at.ROW_START] + i]
        height = ints[ints[at.ROW_START] + i + 1] - ints[ints[at.ROW_START] + i]
        border = ints[ints[at.NODE_BORDER] + i]
        G = ints[at.PANELS] + ints[ints[at.PANEL_START] + i]
        own = ints[row0]
        for j in range(p1 - border, p1):
            for c in range(k):
                x = floats[G + (height - p1 + j) * k + c]
                for r in range(height - border):
                    g, there = floats[G + r * k + c], ints[row0 + r]
                    x -= g * v[there, j]
                    if r >= k:
                        U[there, j] -= g * v[own + c, j]
                U[own + c, j] += x


@compiled
def _tail_pair(
    g: float,
    r: int,
    i: int,
    c: int,
    m: int,
    b: int,
    s: int,
    factors: Floats,
    ints: Ints,
    inverse: Floats,
    GLM: Floats,
) -> None:
    """Add g's share to block b's GΛM⁻¹: row i of b's level at r, column m of the level of s at c."""
    k, lam = ints[ints[at.BLOCK_K] + b], ints[ints[at.BLOCK_LAM] + b]
    ks, up = ints[ints[at.BLOCK_K] + s], ints[ints[at.BLOCK_LAM] + s]
    for j in range(k):
        for a in range(ks):
            x = inverse[max(r + j, c + a), min(r + j, c + a)]
            GLM[lam + i * k + j] += g * factors[up + m * ks + a] * x


@inlined
def _tail_terms(
    factors: Floats, ints: Ints, floats: Floats, inverse: Floats, v: Floats, U: Floats, GLM: Floats
) -> None:
    """The tail's share of both; its cross-products are mostly zeros."""
    q_lead, q_tail, p1 = ints[at.Q_LEAD], ints[at.Q_TAIL], ints[at.P] + 1
    width, G, starts = q_tail + p1, ints[at.TAIL], ints[at.TAIL_START]
    for j in range(p1):
        for r in range(q_tail):
            U[q_lead + r, j] += floats[G + (q_tail + j) * width + r]
    for R in range(q_tail):
        b = ints[ints[at.POSITION_BLOCK] + q_lead + R]
        k = ints[ints[at.BLOCK_K] + b]
        i = (R - ints[starts + b]) % k
        for s in range(b + 1):
            ks = ints[ints[at.BLOCK_K] + s]
            for C in range(ints[starts + s], min(ints[starts + s + 1], R - i + k)):
                g = floats[G + R * width + C]
                if g == 0.0:
                    continue
                m = (C - ints[starts + s]) % ks
                _tail_pair(g, R - i, i, C - m, m, b, s, factors, ints, inverse, GLM)
                for j in range(p1):
                    U[q_lead + R, j] -= g * v[q_lead + C, j]
                if C - m < R - i:
                    _tail_pair(g, C - m, m, R - i, i, s, b, factors, ints, inverse, GLM)
                    for j in range(p1):
                        U[q_lead + C, j] -= g * v[q_lead + R, j]


@inlined
def _scaled_solution(factors: Floats, ints: Ints, u: Floats) -> Floats:
    """C⁻¹Λu, rows in elimination order."""
    v = np.zeros(u.shape)
    r = 0
    while r < u.shape[0]:
        b = ints[ints[at.POSITION_BLOCK] + r]
        k, lam = ints[ints[at.BLOCK_K] + b], ints[ints[at.BLOCK_LAM] + b]
        for i in range(k):
            for m in range(k):
                for j in range(u.shape[1]):
                    v[r + i, j] += factors[lam + i * k + m] * u[r + m, j]
        r += k
    return v


@inlined
def _add_moments(A_bar: Floats, U: Floats, u: Floats, ints: Ints, grad: Floats) -> None:
    """Add −2 Σ_j U_j Ā u_jᵀ to the gradient."""
    r = 0
    while r < u.shape[0]:
        b = ints[ints[at.POSITION_BLOCK] + r]
        k, start = ints[ints[at.BLOCK_K] + b], ints[ints[at.BLOCK_LAM] + b]
        for i in range(k):
            for m in range(u.shape[1]):
                x = 0.0
                for c in range(u.shape[1]):
                    x += U[r + i, c] * A_bar[c, m]
                for j in range(k):
                    grad[start + i * k + j] -= 2.0 * x * u[r + j, m]
        r += k


@inlined
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
    logdet_bar: float,
    A_bar: Floats,
    lam: Floats,
    ints: Ints,
    floats: Floats,
    panels: Floats,
    tail: Floats,
    inverse: Floats,
) -> Floats:
    """Pull cotangents of (log|V₀|, A) back to Λ; see the head of this file.

    Parameters
    ----------
    logdet_bar : of log|V₀|. A_bar : (p + 1, p + 1), symmetric, of A.
    panels, tail : the factor at Λ. inverse : (q_tail, q_tail) M⁻¹ of the tail, lower triangle
        used.

    Returns
    -------
    lam_bar : (n_lam,) laid out as `lam`.
    """
    u = spherical_solution(panels, tail, ints)
    selected = selected_inverse(panels, inverse, ints)
    factors = relative_factors(lam, ints, floats)
    v = _scaled_solution(factors, ints, u)
    U = np.zeros(u.shape)
    grad = np.zeros(len(lam))
    _chain_traces(factors, ints, floats, selected, grad)
    _chain_residuals(ints, floats, v, U)
    _tail_terms(factors, ints, floats, inverse, v, U, grad)
    for i in range(len(grad)):
        grad[i] *= 2.0 * logdet_bar
    _add_moments(A_bar, U, u, ints, grad)
    return _unwhiten(grad, ints, floats)

"""Derivatives of (log|V₀|, A) with respect to Λ, finite at Λ = 0, by the selected inverse of M.

With u = M⁻¹ΛᵀC the spherical solutions and U = ZᵀV₀⁻¹[Q r] = C − GΛu (G, C the cross-products):

    d log|V₀| = 2 Σ_j tr((GΛM⁻¹)_jjᵀ dΛ),      d tr(ĀA) = −2 Σ_j tr((U_j Ā u_jᵀ)ᵀ dΛ).

M⁻¹ is needed at the blocks of G's pattern only.
"""

import numpy as np

from bayeslmm.kernel.arrays import Floats
from bayeslmm.kernel.compiled import compiled, copied, inlined
from bayeslmm.kernel.factor.blocked import relative_factors, tail_inverse
from bayeslmm.kernel.factor.dense import solve_rows_transposed
from bayeslmm.kernel.problem import layout as at
from bayeslmm.kernel.problem.layout import (
    Node,
    Problem,
    ancestor_of,
    block_at,
    block_of,
    node_of,
    position_of,
    relative_of,
)


@compiled
def spherical_solution(panels: Floats, tail: Floats, problem: Problem) -> Floats:
    """u = L⁻ᵀW = M⁻¹ΛᵀZᵀR⁻¹[Q r] by back substitution, (q, p + 1), rows in elimination order."""
    ints = problem.ints
    q_lead, q_tail, p1 = ints[at.Q_LEAD], ints[at.Q_TAIL], ints[at.P] + 1
    u = np.zeros((q_lead + q_tail, p1))
    if q_tail > 0:
        _solve_tail(tail, problem, u)
    for i in range(ints[at.N_NODES] - 1, -1, -1):
        node = node_of(problem, i)
        k, rest, border = node.k, node.panel, node.height - node.border
        own = rest if node.like == i else node_of(problem, node.like).panel
        for c in range(k - 1, -1, -1):
            j = p1
            for b in range(node.height - 1, border - 1, -1):
                j -= 1
                x = panels[rest + b * k + c]
                for r in range(c + 1, k):
                    x -= panels[own + r * k + c] * u[node.position + r, j]
                for r in range(k, border):
                    x -= panels[rest + r * k + c] * u[position_of(problem, node, r), j]
                u[node.position + c, j] = x / panels[own + c * k + c]
    return u


@compiled
def _solve_tail(tail: Floats, problem: Problem, u: Floats) -> None:
    """The tail's rows of `spherical_solution`, into `u`."""
    q_lead, q_tail = problem.ints[at.Q_LEAD], problem.ints[at.Q_TAIL]
    W = tail[q_tail:, :q_tail].copy()
    solve_rows_transposed(tail, W)
    for r in range(q_tail):
        for c in range(u.shape[1]):
            u[q_lead + r, c] = W[c, r]


@compiled
def _below_times(
    node: Node[int],
    below: int,
    panels: Floats,
    selected: Floats,
    inverse: Floats,
    problem: Problem,
    out: Floats,
) -> None:
    """M⁻¹ among the rows below a node's own (`below` of them) times L there; (below, k) into `out`."""
    k, q_lead, first = node.k, problem.ints[at.Q_LEAD], 0
    L = node.panel + k * k
    for r in range(below * k):
        out[r] = 0.0
    for s in range(node.ancestors, node.ancestors_stop):
        ancestor = ancestor_of(problem, s)
        up = node_of(problem, ancestor.node)
        for r in range(first, below):
            there = up.panel + relative_of(problem, ancestor, r - first) * up.k - first
            for c in range(first, min(first + up.k, r + 1)):
                x = selected[there + c]
                for m in range(k):
                    out[r * k + m] += x * panels[L + c * k + m]
                    if c < r:
                        out[c * k + m] += x * panels[L + r * k + m]
        first += up.k
    start, there = node.rows + k, first * k
    rows, panel = problem.ints[start + first : start + below], panels[L + there : L + below * k]
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
def selected_inverse(panels: Floats, inverse: Floats, problem: Problem) -> Floats:
    """M⁻¹ at the pattern of the panels (Takahashi's recursion), laid out as the panels are.

    Nodes that share another's own rows have none.

    Parameters
    ----------
    panels : columns of L. inverse : (q_tail, q_tail) M⁻¹ of the tail, lower triangle used.
    """
    selected = np.zeros(len(panels))
    work = np.empty(len(panels) + 1)
    for i in range(problem.ints[at.N_NODES] - 1, -1, -1):
        node = node_of(problem, i)
        if node.like < i:
            continue
        k, own = node.k, node.panel
        below, rest = node.height - node.border - k, own + k * k
        if below > 0:
            _below_times(node, below, panels, selected, inverse, problem, work)
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
def _chain_traces(factors: Floats, problem: Problem, selected: Floats, GLM: Floats) -> None:
    """Add the chain's share of GΛM⁻¹ (diagonal blocks) to `GLM`."""
    ints, floats = problem.ints, problem.floats
    for i in range(ints[at.N_NODES]):
        node = node_of(problem, i)
        if node.like < i:
            continue
        k, lam, S = node.k, node.lam, node.panel
        G, weight = ints[at.PANELS] + S, floats[ints[at.NODE_WEIGHT] + i]
        r = 0
        while r < node.height - node.border:
            met = block_at(problem, position_of(problem, node, r))
            for a in range(met.k):
                row = (r + a) * k
                for c in range(k):
                    x = 0.0
                    for m in range(met.k):
                        x += weight * factors[met.lam + a * met.k + m] * selected[S + (r + m) * k + c]
                    for m in range(k):
                        GLM[lam + m * k + c] += floats[G + row + m] * x
                    if r > 0:
                        y = 0.0
                        for m in range(k):
                            y += floats[G + row + m] * factors[lam + m * k + c]
                        for m in range(met.k):
                            GLM[met.lam + a * met.k + m] += y * selected[S + (r + m) * k + c]
            r += met.k


@inlined
def _chain_residuals(problem: Problem, v: Floats, U: Floats) -> None:
    """The chain's share of U = C − Gv, added to `U`."""
    ints, floats = problem.ints, problem.floats
    p1 = ints[at.P] + 1
    for i in range(ints[at.N_NODES]):
        node = node_of(problem, i)
        k, G = node.k, ints[at.PANELS] + node.panel
        for j in range(p1 - node.border, p1):
            for c in range(k):
                x = floats[G + (node.height - p1 + j) * k + c]
                for r in range(node.height - node.border):
                    g, there = floats[G + r * k + c], position_of(problem, node, r)
                    x -= g * v[there, j]
                    if r >= k:
                        U[there, j] -= g * v[node.position + c, j]
                U[node.position + c, j] += x


@copied
def _tail_pair(
    g: float,
    row: int,
    i: int,
    column: int,
    m: int,
    factors: Floats,
    problem: Problem,
    inverse: Floats,
    GLM: Floats,
) -> None:
    """Add g's share to GΛM⁻¹: g is at row i of the level that starts at `row`, column m of the other's."""
    q_lead = problem.ints[at.Q_LEAD]
    block, other = block_at(problem, q_lead + row), block_at(problem, q_lead + column)
    for j in range(block.k):
        for a in range(other.k):
            x = inverse[max(row + j, column + a), min(row + j, column + a)]
            GLM[block.lam + i * block.k + j] += g * factors[other.lam + m * other.k + a] * x


@compiled
def _tail_terms(
    factors: Floats, problem: Problem, inverse: Floats, v: Floats, U: Floats, GLM: Floats
) -> None:
    """The tail's share of both; its cross-products are mostly zeros."""
    ints, floats = problem.ints, problem.floats
    q_lead, q_tail, p1 = ints[at.Q_LEAD], ints[at.Q_TAIL], ints[at.P] + 1
    width, G = q_tail + p1, ints[at.TAIL]
    for j in range(p1):
        for r in range(q_tail):
            U[q_lead + r, j] += floats[G + (q_tail + j) * width + r]
    for R in range(q_tail):
        own = block_at(problem, q_lead + R)
        i = (R - own.tail) % own.k
        for C in range(R - i + own.k):
            g = floats[G + R * width + C]
            if g == 0.0:
                continue
            other = block_at(problem, q_lead + C)
            m = (C - other.tail) % other.k
            _tail_pair(g, R - i, i, C - m, m, factors, problem, inverse, GLM)
            for j in range(p1):
                U[q_lead + R, j] -= g * v[q_lead + C, j]
            if C - m < R - i:
                _tail_pair(g, C - m, m, R - i, i, factors, problem, inverse, GLM)
                for j in range(p1):
                    U[q_lead + C, j] -= g * v[q_lead + R, j]


@inlined
def scaled_solution(factors: Floats, problem: Problem, u: Floats) -> Floats:
    """C⁻¹Λu, rows in elimination order."""
    v = np.zeros(u.shape)
    r = 0
    while r < u.shape[0]:
        block = block_at(problem, r)
        k = block.k
        for i in range(k):
            for m in range(k):
                for j in range(u.shape[1]):
                    v[r + i, j] += factors[block.lam + i * k + m] * u[r + m, j]
        r += k
    return v


@inlined
def _add_moments(A_bar: Floats, U: Floats, u: Floats, problem: Problem, grad: Floats) -> None:
    """Add −2 Σ_j U_j Ā u_jᵀ to the gradient."""
    r = 0
    while r < u.shape[0]:
        block = block_at(problem, r)
        k = block.k
        for i in range(k):
            for m in range(u.shape[1]):
                x = 0.0
                for c in range(u.shape[1]):
                    x += U[r + i, c] * A_bar[c, m]
                for j in range(k):
                    grad[block.lam + i * k + j] -= 2.0 * x * u[r + j, m]
        r += k


@inlined
def _unwhiten(grad: Floats, problem: Problem) -> Floats:
    """From d/d(C⁻¹Λ) to d/dΛ: C⁻ᵀ from the left."""
    out, white = np.zeros(len(grad)), problem.floats
    for b in range(problem.ints[at.N_BLOCKS]):
        block = block_of(problem, b)
        k, start = block.k, block.lam
        for i in range(k):
            for j in range(k):
                for m in range(k):
                    out[start + i * k + j] += white[start + m * k + i] * grad[start + m * k + j]
    return out


@compiled
def pullback(
    logdet_bar: float, A_bar: Floats, lam: Floats, problem: Problem, panels: Floats, tail: Floats
) -> Floats:
    """Pull cotangents of (log|V₀|, A) back to Λ; see the head of this file.

    Parameters
    ----------
    logdet_bar : of log|V₀|. A_bar : (p + 1, p + 1), symmetric, of A.
    panels, tail : the factor at Λ.

    Returns
    -------
    lam_bar : (n_lam,) laid out as `lam`.
    """
    u = spherical_solution(panels, tail, problem)
    inverse = tail_inverse(tail, problem)
    selected = selected_inverse(panels, inverse, problem)
    factors = relative_factors(lam, problem)
    v = scaled_solution(factors, problem, u)
    U = np.zeros(u.shape)
    grad = np.zeros(len(lam))
    _chain_traces(factors, problem, selected, grad)
    _chain_residuals(problem, v, U)
    if len(inverse) > 0:
        _tail_terms(factors, problem, inverse, v, U, grad)
    for i in range(len(grad)):
        grad[i] *= 2.0 * logdet_bar
    _add_moments(A_bar, U, u, problem, grad)
    return _unwhiten(grad, problem)

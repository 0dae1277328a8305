"""Derivatives of (log|V₀|, A) with respect to cross-products: G = Z̃ᵀZ̃, C = Z̃ᵀ[Q r], D = [Q r]ᵀ[Q r].

With F the relative factors, u = M⁻¹FᵀC and v = Fu,

    d log|M| = tr(FM⁻¹Fᵀ dG),      d tr(ĀA) = tr(Ā dD) − 2 tr(Āvᵀ dC) + tr(vĀvᵀ dG).

What R's parameters need: see `crossproducts.Whitened.pull`. Fits without such parameters never come here.
"""

import numpy as np

from bayeslmm.kernel.arrays import Floats
from bayeslmm.kernel.compiled import compiled, inlined
from bayeslmm.kernel.factor.blocked import relative_factors, tail_inverse
from bayeslmm.kernel.factor.pullback import scaled_solution, selected_inverse, spherical_solution
from bayeslmm.kernel.problem import layout as at
from bayeslmm.kernel.problem.layout import Block, Problem, block_at, block_of, node_of, position_of


@inlined
def _between(
    row: Block[int],
    column: Block[int],
    there: int,
    here: int,
    inverse: Floats,
    weight: float,
    factors: Floats,
    v: Floats,
    vA: Floats,
    out: Floats,
) -> None:
    """weight FM⁻¹Fᵀ + vĀvᵀ of two levels, (k, k) flat.

    Parameters
    ----------
    there, here : positions of the levels, rows and columns of `out`. inverse : M⁻¹ there, (k, k) flat.
    """
    for a in range(row.k):
        for c in range(column.k):
            x = 0.0
            for m in range(row.k):
                for j in range(column.k):
                    left, right = factors[row.lam + a * row.k + m], factors[column.lam + c * column.k + j]
                    x += left * inverse[m * column.k + j] * right
            x *= weight
            for j in range(v.shape[1]):
                x += vA[there + a, j] * v[here + c, j]
            out[a * column.k + c] = x


@inlined
def _by_panels(
    logdet_bar: float, factors: Floats, problem: Problem, selected: Floats, v: Floats, vA: Floats
) -> Floats:
    """By the panels' elements, each of which stands for its mirror image, too, but for a node's own rows."""
    ints, p1 = problem.ints, v.shape[1]
    out = np.zeros(len(selected))
    for i in range(ints[at.N_NODES]):
        node = node_of(problem, i)
        k, border, r = node.k, node.height - node.border, 0
        own = block_at(problem, node.position)
        while r < border:
            there = position_of(problem, node, r)
            met, start = block_at(problem, there), node.panel + r * k
            share = out[start : start + met.k * k]
            inverse = selected[start : start + met.k * k]
            _between(met, own, there, node.position, inverse, logdet_bar, factors, v, vA, share)
            if r > 0:
                share *= 2.0
            r += met.k
        for j in range(p1 - node.border, p1):
            for c in range(k):
                out[node.panel + (node.height - p1 + j) * k + c] = -2.0 * vA[node.position + c, j]
    return out


@inlined
def _by_tail(
    logdet_bar: float,
    A_bar: Floats,
    factors: Floats,
    problem: Problem,
    inverse: Floats,
    v: Floats,
    vA: Floats,
) -> Floats:
    """By the tail's elements, full and symmetric."""
    q_lead, q_tail, p1 = problem.ints[at.Q_LEAD], problem.ints[at.Q_TAIL], v.shape[1]
    out = np.zeros((q_tail + p1, q_tail + p1))
    widest = 1
    for b in range(problem.ints[at.N_BLOCKS]):
        widest = max(widest, block_of(problem, b).k)
    part, share = np.empty(widest * widest), np.empty(widest * widest)
    there = 0
    while there < q_tail:
        row, here = block_at(problem, q_lead + there), 0
        while here <= there:
            column = block_at(problem, q_lead + here)
            for m in range(row.k):
                for j in range(column.k):
                    high, low = max(there + m, here + j), min(there + m, here + j)
                    part[m * column.k + j] = inverse[high, low]
            places = q_lead + there, q_lead + here
            _between(row, column, places[0], places[1], part, logdet_bar, factors, v, vA, share)
            for a in range(row.k):
                for c in range(column.k):
                    out[there + a, here + c] = share[a * column.k + c]
                    out[here + c, there + a] = share[a * column.k + c]
            here += column.k
        for a in range(row.k):
            for j in range(p1):
                out[there + a, q_tail + j] = -vA[q_lead + there + a, j]
                out[q_tail + j, there + a] = -vA[q_lead + there + a, j]
        there += row.k
    out[q_tail:, q_tail:] = A_bar
    return out


@compiled
def product_cotangents(
    logdet_bar: float, A_bar: Floats, lam: Floats, problem: Problem, panels: Floats, tail: Floats
) -> tuple[Floats, Floats]:
    """Pull cotangents of (log|V₀|, A) back to the cross-products of a problem that isn't condensed.

    Parameters
    ----------
    logdet_bar : of log|V₀|; what R's own determinant adds to it isn't a cross-product.
    A_bar : (p + 1, p + 1), symmetric, of A. panels, tail : the factor at Λ.

    Returns
    -------
    By each stored element of the problem's `panels` and `tail`, of the shape of these.
    """
    u = spherical_solution(panels, tail, problem)
    inverse = tail_inverse(tail, problem)
    selected = selected_inverse(panels, inverse, problem)
    factors = relative_factors(lam, problem)
    v = scaled_solution(factors, problem, u)
    vA = np.zeros(v.shape)
    for r in range(v.shape[0]):
        for j in range(v.shape[1]):
            for m in range(v.shape[1]):
                vA[r, j] += v[r, m] * A_bar[m, j]
    by_panels = _by_panels(logdet_bar, factors, problem, selected, v, vA)
    return by_panels, _by_tail(logdet_bar, A_bar, factors, problem, inverse, v, vA)

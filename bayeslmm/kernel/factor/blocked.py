"""The blocked factor: M = ΛᵀZᵀR⁻¹ZΛ + I = LLᵀ, bordered by ΛᵀZᵀ[Q r], so that what remains is A.

The chain's nodes are eliminated one by one (Bates et al. 2015, section 3; a multifrontal Cholesky factor of
depth the length of the chain); the tail is one dense matrix.
"""

from math import log

import numpy as np

from bayeslmm.kernel.arrays import Floats
from bayeslmm.kernel.compiled import compiled, copied, inlined
from bayeslmm.kernel.factor.dense import cholesky_leading, inverse_from_cholesky
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
def relative_factors(lam: Floats, problem: Problem) -> Floats:
    """C⁻¹Λ of every block, at the places of Λ in `lam`: the factor of the whitened columns."""
    out, white = np.zeros(len(lam)), problem.floats
    for b in range(problem.ints[at.N_BLOCKS]):
        block = block_of(problem, b)
        k, start = block.k, block.lam
        for i in range(k):
            for j in range(k):
                for m in range(k):
                    out[start + i * k + j] += white[start + i * k + m] * lam[start + m * k + j]
    return out


@inlined
def scaled_panels(factors: Floats, problem: Problem) -> Floats:
    """All panels of [ΛᵀGΛ + I; CᵀΛ], G and C the cross-products; own rows that another has are left out."""
    ints, floats = problem.ints, problem.floats
    panels = np.empty(ints[at.N_PANEL])
    work = np.empty(len(factors) + 1)
    for i in range(ints[at.N_NODES]):
        node = node_of(problem, i)
        k, to = node.k, node.panel
        source = ints[at.PANELS] + to
        own = k if node.like == i else 0
        for r in range(k - own, node.height):  # from the right by the node's own factor
            for c in range(k):
                x = 0.0
                for m in range(k):
                    x += floats[source + r * k + m] * factors[node.lam + m * k + c]
                panels[to + r * k + c] = x
        r = k - own
        while r < node.height - node.border:  # from the left by the factor of each level it meets
            met = block_at(problem, position_of(problem, node, r))
            if met.k == 1:
                for c in range(k):
                    panels[to + r * k + c] *= factors[met.lam]
                r += 1
                continue
            for c in range(k):
                for j in range(met.k):
                    work[j] = 0.0
                    for m in range(met.k):
                        work[j] += factors[met.lam + m * met.k + j] * panels[to + (r + m) * k + c]
                for j in range(met.k):
                    panels[to + (r + j) * k + c] = work[j]
            r += met.k
        for c in range(own):
            panels[to + c * k + c] += 1.0
    return panels


@copied
def _add_scaled_row(
    out: Floats, left: float, row: Floats, stop: int, factors: Floats, problem: Problem
) -> None:
    """Add `left` times a row of the tail's cross-products, times Λ, up to column `stop`."""
    for b in range(problem.ints[at.N_BLOCKS]):
        block = block_of(problem, b)
        k, first = block.k, block.tail
        levels = (min(block.stop, stop) - first) // k
        for m in range(k):
            for j in range(k):
                x = left * factors[block.lam + m * k + j]
                if x != 0.0:
                    for level in range(levels):
                        out[first + level * k + j] += x * row[first + level * k + m]


@inlined
def scaled_tail(factors: Floats, problem: Problem) -> Floats:
    """The dense tail of ΛᵀGΛ + I bordered by CᵀΛ and [Q r]ᵀ[Q r]; lower triangle, the rest undefined."""
    q_tail = problem.ints[at.Q_TAIL]
    width, G = q_tail + problem.ints[at.P] + 1, problem.ints[at.TAIL]
    tail = np.empty((width, width))
    for r in range(width):
        for c in range(r + 1):
            tail[r, c] = 0.0 if c < q_tail else problem.floats[G + r * width + c]
    if q_tail > 0:
        _scale_tail(tail, factors, problem)
    return tail


@compiled
def _scale_tail(tail: Floats, factors: Floats, problem: Problem) -> None:
    """Fill the tail's own columns of `scaled_tail`, which are 0."""
    ints, width = problem.ints, len(tail)
    q_tail = ints[at.Q_TAIL]
    G = problem.floats[ints[at.TAIL] : ints[at.TAIL] + width * width].reshape(width, width)
    for r in range(q_tail, width):
        _add_scaled_row(tail[r], 1.0, G[r], q_tail, factors, problem)
    for b in range(ints[at.N_BLOCKS]):
        block = block_of(problem, b)
        k = block.k
        for c in range(block.tail, block.stop, k):
            for i in range(k):
                for m in range(k):
                    left = factors[block.lam + m * k + i]
                    _add_scaled_row(tail[c + i], left, G[c + m], c + k, factors, problem)
                tail[c + i, c + i] += 1.0


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
        logdet += 2.0 * log(pivot)
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
def eliminate_chain(panels: Floats, tail: Floats, problem: Problem) -> float:
    """Eliminate the nodes in place: panels become columns of L, the tail its Schur complement.

    Own rows that another node has stay undefined.

    Returns
    -------
    log|L|² of the chain, nodes by their weights, or -inf where M is not positive definite in floating point.
    """
    ints, logdet = problem.ints, 0.0
    for i in range(ints[at.N_NODES]):
        node = node_of(problem, i)
        k, start, height = node.k, node.panel, node.height
        if node.like == i:
            logdet += problem.floats[ints[at.NODE_WEIGHT] + i] * factor_node(panels, start, k)
        if not np.isfinite(logdet):
            return -np.inf
        own = start if node.like == i else node_of(problem, node.like).panel
        apply_node(panels, own, start + k * k, start + height * k, k)
        first = k
        if node.ancestors < node.ancestors_stop:
            first = _subtract_from_ancestors(panels, node, problem)
        _subtract_products(tail, panels[start + first * k : start + height * k], node, first, problem)
    return logdet


@compiled
def _subtract_from_ancestors(panels: Floats, node: Node[int], problem: Problem) -> int:
    """Subtract WWᵀ, W the rows below a node's own, from where its ancestors hold them; where they end."""
    k, start, first = node.k, node.panel, node.k
    for s in range(node.ancestors, node.ancestors_stop):
        ancestor = ancestor_of(problem, s)
        up = node_of(problem, ancestor.node)
        for r in range(first, node.height):
            to = up.panel + relative_of(problem, ancestor, r - first) * up.k
            for c in range(up.k):
                x = 0.0
                for m in range(k):
                    x += panels[start + r * k + m] * panels[start + (first + c) * k + m]
                panels[to + c] -= x
        first += up.k
    return first


@inlined
def _subtract_products(tail: Floats, panel: Floats, node: Node[int], first: int, problem: Problem) -> None:
    """Subtract WWᵀ, W the rows of a node's panel from `first` on, from where they lie in the tail."""
    q_lead, k = problem.ints[at.Q_LEAD], node.k
    rows = problem.ints[node.rows + first : node.rows + node.height]
    for r in range(node.height - first):
        row = tail[rows[r] - q_lead]
        for m in range(k):
            x = panel[r * k + m]
            for c in range(r + 1):
                row[rows[c] - q_lead] -= x * panel[c * k + m]


@inlined
def read_moments(tail: Floats, problem: Problem) -> Floats:
    """A = [Q r]ᵀV₀⁻¹[Q r], the Schur complement that remains; symmetric (p + 1, p + 1)."""
    p1, q_tail = problem.ints[at.P] + 1, problem.ints[at.Q_TAIL]
    A = np.empty((p1, p1))
    for i in range(p1):
        for j in range(i + 1):
            A[i, j] = tail[q_tail + i, q_tail + j]
            A[j, i] = A[i, j]
    return A


@inlined
def right_sides(panels: Floats, tail: Floats, problem: Problem) -> Floats:
    """The border of panels and tail, (q, p + 1), rows in elimination order; of a factor, L⁻¹ΛᵀZᵀR⁻¹[Q r]."""
    ints = problem.ints
    q_lead, q_tail, p1 = ints[at.Q_LEAD], ints[at.Q_TAIL], ints[at.P] + 1
    W = np.empty((q_lead + q_tail, p1))
    for r in range(q_tail):
        for c in range(p1):
            W[q_lead + r, c] = tail[q_tail + c, r]
    for i in range(ints[at.N_NODES]):
        node = node_of(problem, i)
        border = node.panel + (node.height - p1) * node.k
        for c in range(node.k):
            for j in range(p1):
                W[node.position + c, j] = panels[border + j * node.k + c]
    return W


@compiled
def factor(lam: Floats, problem: Problem) -> tuple[float, Floats, Floats, Floats]:
    """Factor the bordered system at Λ.

    Value and factor in one: (log|V₀|, A) is the likelihood's, and (panels, tail) is what b is drawn from.

    Parameters
    ----------
    lam : (n_lam,) Λ of each block in public order, row-major.

    Returns
    -------
    logdet : log|V₀| = log|L|² + log|R|, or -inf. A : (p + 1, p + 1) moments [Q r]ᵀV₀⁻¹[Q r].
    panels, tail : the columns of L, bordered by W = L⁻¹ΛᵀZᵀ[Q r].
    """
    factors = relative_factors(lam, problem)
    panels = scaled_panels(factors, problem)
    tail = scaled_tail(factors, problem)
    logdet = eliminate_chain(panels, tail, problem)
    if np.isfinite(logdet) and problem.ints[at.Q_TAIL] > 0:
        logdet += cholesky_leading(tail, problem.ints[at.Q_TAIL])
    logdet += problem.floats[problem.ints[at.CONSTANTS]]
    return logdet, read_moments(tail, problem), panels, tail


@inlined
def tail_inverse(tail: Floats, problem: Problem) -> Floats:
    """M⁻¹ of a factor's tail, (q_tail, q_tail), lower triangle."""
    return inverse_from_cholesky(tail, problem.ints[at.Q_TAIL])

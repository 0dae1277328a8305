"""Moment estimates of the covariances, from cross-products alone: where a search begins."""

from itertools import accumulate

import numpy as np

from bayeslmm.kernel.arrays import Floats, Ints
from bayeslmm.kernel.compiled import compiled
from bayeslmm.kernel.factor.blocked import right_sides
from bayeslmm.kernel.problem import layout as at
from bayeslmm.kernel.problem.layout import Problem, block_of, node_of, position_of

RANGE = (1e-2, 1e3)  # relative variance of a whitened coef that a start may have


def relative_covariances(problem: Problem) -> list[Floats] | None:
    """T of each block in public order, by matching Zᵀr rᵀZ to its expectation (as MINQUE with weight 0).

    With H = Zᵀ(I − QQᵀ)Z = G − CCᵀ: E Z_jᵀr rᵀZ_j = σ²[H_jj + Σ_l H_jl T H_lj] and
    E rᵀr = σ²[n − p + Σ_l tr T H_ll]. G has few pairs of levels, CCᵀ all of them; its products, summed over
    pairs, are products of sums over levels. In balanced data these are the REML estimates, if positive.
    Eigenvalues are kept within `RANGE`.

    Returns
    -------
    T of each block, (k, k); None when the equations give no positive σ².
    """
    blocks = problem.blocks
    ks, lams = blocks.k.tolist(), blocks.lam.tolist()
    starts = list(accumulate((k * k for k in ks), initial=0))
    left, right = _equations(problem, np.array(starts))
    solution = np.linalg.lstsq(left, right)[0]
    if not solution[-1] > 0:
        return None
    out = {}
    for k, start, lam in zip(ks, starts, lams, strict=False):
        T = solution[start : start + k * k].reshape(k, k) / solution[-1]
        values, vectors = np.linalg.eigh(0.5 * (T + T.T))
        whiten = problem.white[lam : lam + k * k].reshape(k, k)
        root = np.linalg.solve(whiten, vectors * np.sqrt(values.clip(*RANGE)))
        out[lam] = root @ root.T
    return [out[lam] for lam in sorted(out)]


@compiled
def _add_pair(
    left: Floats, columns: Ints, rows: Ints, floats: Floats, first: int, stride: int, C: Floats, work: Floats
) -> None:
    """Add the share of one pair of levels whose cross-products G aren't 0, and of its mirror image.

    Its equations are HᵀTH with H = G − CCᵀ; what all pairs would have with G = 0 is taken off.

    Parameters
    ----------
    columns, rows : of each level, where its block's unknowns start, its coefs, its first position.
    first, stride : where G lies. work : (2, k, k) for H and CCᵀ.
    """
    ks, k, p = rows[1], columns[1], C.shape[1] - 1
    for c in range(ks):
        for a in range(k):
            shared = 0.0
            for i in range(p):
                shared += C[rows[2] + c, i] * C[columns[2] + a, i]
            work[0, c, a] = floats[first + c * stride + a] - shared
            work[1, c, a] = shared
    for a in range(k):
        for b in range(k):
            equation = columns[0] + a * k + b
            if columns[2] == rows[2]:
                left[equation, -1] += work[0, a, b]
            for c in range(ks):
                for d in range(ks):
                    product = work[0, c, a] * work[0, d, b] - work[1, c, a] * work[1, d, b]
                    left[equation, rows[0] + c * ks + d] += product
                    if columns[2] != rows[2]:
                        left[rows[0] + c * ks + d, equation] += product


@compiled
def _add_tail_pairs(left: Floats, levels: Ints, problem: Problem, C: Floats, work: Floats) -> None:
    """Add the share of all pairs of the tail's levels; `levels` (q, 3) as `_add_pair` takes them."""
    ints, q_lead = problem.ints, problem.ints[at.Q_LEAD]
    width = ints[at.Q_TAIL] + C.shape[1]
    column = q_lead
    while column < len(C):
        row = column
        while row < len(C):
            first = ints[at.TAIL] + (row - q_lead) * width + column - q_lead
            _add_pair(left, levels[column], levels[row], problem.floats, first, width, C, work)
            row += levels[row, 1]
        column += levels[column, 1]


@compiled
def _equations(problem: Problem, starts: Ints) -> tuple[Floats, Floats]:
    """Coefficients and right-hand side for the elements of σ²T of every block, and σ² last."""
    ints, floats, size = problem.ints, problem.floats, starts[-1]
    left, right = np.zeros((size + 1, size + 1)), np.zeros(size + 1)
    q_tail, p = ints[at.Q_TAIL], ints[at.P]
    width = q_tail + p + 1
    tail = floats[ints[at.TAIL] : ints[at.TAIL] + width * width].reshape(width, width)
    C = right_sides(floats[ints[at.PANELS] : ints[at.TAIL]], tail, problem)
    levels = np.empty((len(C), 3), dtype=np.int64)
    shared, widest = np.zeros((size, p * p)), 1
    own, blocks = 0, ints[at.POSITION_BLOCK]
    while own < len(C):
        b = ints[blocks + own]
        k = block_of(problem, b).k
        widest = max(widest, k)
        levels[own, 0], levels[own, 1], levels[own, 2] = starts[b], k, own
        for a in range(k):
            for c in range(k):
                unknown = starts[b] + a * k + c
                right[unknown] += C[own + a, p] * C[own + c, p]
                for i in range(p):
                    for j in range(p):
                        shared[unknown, i * p + j] += C[own + a, i] * C[own + c, j]
        own += k
    work = np.empty((2, widest, widest))
    for i in range(ints[at.N_NODES]):
        node = node_of(problem, i)
        G, own, r = ints[at.PANELS] + node.panel, levels[node.position], 0
        while r < node.height - node.border:
            other = levels[position_of(problem, node, r)]
            _add_pair(left, own, other, floats, G + r * node.k, node.k, C, work)
            r += other[1]
    if q_tail > 0:
        _add_tail_pairs(left, levels, problem, C, work)
    for i in range(size):
        left[size, i] = left[i, size]
        for j in range(size):
            for m in range(p * p):
                left[i, j] += shared[i, m] * shared[j, m]
    left[size, size] = ints[at.N_ROWS] - p
    right[size] = floats[ints[at.TAIL] + width * width - 1]
    return left, right

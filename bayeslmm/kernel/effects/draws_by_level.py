"""Exact draws of the random effects of one grouping factor, level by level.

Without other groups M is block-diagonal, and given δ level j's effects need nothing of the other levels:

    b_j = B(Sᵀ(Z̃_jᵀr − C_jᵀδ) + σz_j),    S = FL⁻ᵀ,  B = ΛL⁻ᵀ,  LLᵀ = FᵀGF + I,  F = C⁻¹Λ,

with G = Z̃_jᵀZ̃_j and C_j = QᵀZ̃_j. S and B depend on j by G alone, so in balanced data on nothing but Λ.
"""

import numpy as np
from numpy.typing import NDArray

from bayeslmm.kernel.arrays import Floats, Ints
from bayeslmm.kernel.compiled import compiled, inlined
from bayeslmm.kernel.factor.blocked import apply_node, factor_node, relative_factors
from bayeslmm.kernel.kernel import Kernel
from bayeslmm.kernel.problem import layout as at
from bayeslmm.kernel.problem.layout import Problem, block_of, node_of


def has_levels_alike(kernel: Kernel) -> bool:
    """Whether there is one grouping factor and some of its levels have equal G."""
    one = kernel.problem.ints[at.N_BLOCKS] == 1 and kernel.problem.ints[at.Q_TAIL] == 0
    return bool(one and kernel.condensed.rotation is not None)


@inlined
def _fill_roots(panel: Floats, G: int, factors: Floats, lam: Floats, k: int, floats: Floats) -> None:
    """[L; S; B] of a node, (3k, k) flat, into `panel`; G at an offset into `floats`."""
    for i in range(k):
        for j in range(k):
            panel[(k + i) * k + j] = factors[i * k + j]
            panel[(2 * k + i) * k + j] = lam[i * k + j]
            panel[i * k + j] = 1.0 if i == j else 0.0
    for a in range(k):
        for j in range(k):
            x = 0.0
            for m in range(k):
                x += floats[G + a * k + m] * factors[m * k + j]
            for i in range(k):
                panel[i * k + j] += factors[a * k + i] * x
    factor_node(panel, 0, k)
    apply_node(panel, 0, k * k, 3 * k * k, k)


@compiled
def draw_levels(
    lam: Floats,
    sigma: Floats,
    starts: NDArray[np.int64],
    delta: Floats,
    z: Floats,
    alike: Ints,
    problem: Problem,
) -> Floats:
    """b (m, q), public order, at each (σ, Λ) and δ; draws between two `starts` share (σ, Λ).

    Parameters
    ----------
    lam : (m, n_lam). sigma : (m,). delta : (m, p). z : (m, q) standard normal, in elimination order.
    alike : (n,) the first node with each node's G.
    """
    ints, floats = problem.ints, problem.floats
    k, p = block_of(problem, 0).k, delta.shape[1]
    roots = np.empty((len(alike), 3 * k * k))
    right, unit = np.empty(k), np.empty(k)
    b, public = np.empty(z.shape), ints[at.PUBLIC]
    for run in range(len(starts) - 1):
        first, last = starts[run], starts[run + 1]
        factors = relative_factors(lam[first], problem)
        for i in range(len(alike)):
            node = node_of(problem, i)
            G, row = ints[at.PANELS] + node.panel, node.position
            if alike[i] == i:
                _fill_roots(roots[i], G, factors, lam[first], k, floats)
            root, border = roots[alike[i]], G + k * k
            for d in range(first, last):
                for c in range(k):
                    right[c] = floats[border + p * k + c]
                    for j in range(p):
                        right[c] -= floats[border + j * k + c] * delta[d, j]
                for c in range(k):
                    unit[c] = sigma[first] * z[d, row + c]
                    for m in range(k):
                        unit[c] += root[(k + m) * k + c] * right[m]
                for a in range(k):
                    x = 0.0
                    for c in range(k):
                        x += root[(2 * k + a) * k + c] * unit[c]
                    b[d, ints[public + row + a]] = x
    return b

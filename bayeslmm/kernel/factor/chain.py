"""The chain's columns of L: solves with them and products, many right-hand sides at once."""

import numpy as np

from bayeslmm.kernel.arrays import Floats
from bayeslmm.kernel.compiled import compiled
from bayeslmm.kernel.problem import layout as at
from bayeslmm.kernel.problem.layout import Problem, node_of, position_of


@compiled
def chain_forward(panels: Floats, problem: Problem, z: Floats) -> None:
    """Solve with the chain's part of L in place; z (q, m), rows in elimination order."""
    for i in range(problem.ints[at.N_NODES]):
        node = node_of(problem, i)
        for c in range(node.k):
            own = node.position + c
            pivot = panels[node.panel + c * node.k + c]
            for j in range(z.shape[1]):
                z[own, j] /= pivot
            for r in range(c + 1, node.height - node.border):
                row, x = position_of(problem, node, r), panels[node.panel + r * node.k + c]
                for j in range(z.shape[1]):
                    z[row, j] -= x * z[own, j]


@compiled
def chain_backward(panels: Floats, problem: Problem, z: Floats) -> None:
    """Solve with the transpose of the chain's part of L in place; z (q, m), its tail solved."""
    for i in range(problem.ints[at.N_NODES] - 1, -1, -1):
        node = node_of(problem, i)
        for c in range(node.k - 1, -1, -1):
            own = node.position + c
            for r in range(c + 1, node.height - node.border):
                row, x = position_of(problem, node, r), panels[node.panel + r * node.k + c]
                for j in range(z.shape[1]):
                    z[own, j] -= x * z[row, j]
            pivot = panels[node.panel + c * node.k + c]
            for j in range(z.shape[1]):
                z[own, j] /= pivot


@compiled
def chain_times(panels: Floats, problem: Problem, z: Floats) -> Floats:
    """The chain's columns of L times z (q, m); its tail's columns count as 0."""
    out = np.zeros(z.shape)
    for i in range(problem.ints[at.N_NODES]):
        node = node_of(problem, i)
        for c in range(node.k):
            own = node.position + c
            for r in range(c, node.height - node.border):
                row, x = position_of(problem, node, r), panels[node.panel + r * node.k + c]
                for j in range(z.shape[1]):
                    out[row, j] += x * z[own, j]
    return out

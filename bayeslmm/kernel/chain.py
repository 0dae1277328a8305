"""The chain's columns of L: solves with them and products, many right-hand sides at once."""

import numpy as np

from bayeslmm.kernel import layout as at
from bayeslmm.kernel.blocks import Floats, Ints
from bayeslmm.kernel.compiled import compiled, inlined


@inlined
def _node(i: int, ints: Ints) -> tuple[int, int, int, int]:
    """A node's coefs, where its rows are listed, how many lie above the border, where its panel starts."""
    first, last = ints[ints[at.ROW_START] + i], ints[ints[at.ROW_START] + i + 1]
    k = ints[ints[at.BLOCK_K] + ints[ints[at.NODE_BLOCK] + i]]
    height = last - first - ints[ints[at.NODE_BORDER] + i]
    return k, ints[at.ROWS] + first, height, ints[ints[at.PANEL_START] + i]


@compiled
def chain_forward(panels: Floats, ints: Ints, z: Floats) -> None:
    """Solve with the chain's part of L in place; z (q, m), rows in elimination order."""
    for i in range(ints[at.N_NODES]):
        k, row0, height, start = _node(i, ints)
        for c in range(k):
            own = ints[row0 + c]
            pivot = panels[start + c * k + c]
            for j in range(z.shape[1]):
                z[own, j] /= pivot
            for r in range(c + 1, height):
                row, x = ints[row0 + r], panels[start + r * k + c]
                for j in range(z.shape[1]):
                    z[row, j] -= x * z[own, j]


@compiled
def chain_backward(panels: Floats, ints: Ints, z: Floats) -> None:
    """Solve with the transpose of the chain's part of L in place; z (q, m), its tail solved."""
    for i in range(ints[at.N_NODES] - 1, -1, -1):
        k, row0, height, start = _node(i, ints)
        for c in range(k - 1, -1, -1):
            own = ints[row0 + c]
            for r in range(c + 1, height):
                row, x = ints[row0 + r], panels[start + r * k + c]
                for j in range(z.shape[1]):
                    z[own, j] -= x * z[row, j]
            pivot = panels[start + c * k + c]
            for j in range(z.shape[1]):
                z[own, j] /= pivot


@compiled
def chain_times(panels: Floats, ints: Ints, z: Floats) -> Floats:
    """The chain's columns of L times z (q, m); its tail's columns count as 0."""
    out = np.zeros(z.shape)
    for i in range(ints[at.N_NODES]):
        k, row0, height, start = _node(i, ints)
        for c in range(k):
            own = ints[row0 + c]
            for r in range(c, height):
                row, x = ints[row0 + r], panels[start + r * k + c]
                for j in range(z.shape[1]):
                    out[row, j] += x * z[own, j]
    return out

"""The symbolic stage: which rows each node's panel holds, and where they lie in its ancestors' panels."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from bayeslmm.kernel.arrays import Ints
from bayeslmm.kernel.compiled import compiled
from bayeslmm.kernel.problem.blocks import BlockShape
from bayeslmm.kernel.problem.together import Together


class PanelTables(NamedTuple):
    """Index tables of the panels, named as in `layout`."""

    node_block: Ints
    node_border: Ints
    node_like: Ints
    node_position: Ints
    panel_start: Ints
    row_start: Ints
    rows: Ints
    ancestor_start: Ints
    ancestors: Ints
    relative_start: Ints
    relative: Ints


def panel_tables(
    blocks: Sequence[BlockShape], chain: Sequence[int], tail: Sequence[int], together: Together, p1: int
) -> PanelTables:
    """Lay out one panel per level of the chain blocks; `p1` rows of [Q r] end every panel.

    Parameters
    ----------
    blocks : in public order; chain and tail are numbers of them. together : which levels share a row.
    """
    levels = np.array([blocks[b].n_levels for b in chain], dtype=np.int64)
    ks = np.array([blocks[b].k for b in [*chain, *tail]], dtype=np.int64)
    first_node = running(levels)
    node_block = np.repeat(np.arange(len(chain)), levels)
    met = [together.met(b, tail) for b in chain]
    none = np.zeros(0, dtype=np.int64)
    met_count = np.concatenate([none, *(m[0] for m in met)])
    met_level = np.concatenate([none, *(m[1] for m in met)])
    parent = np.full((len(node_block), len(chain)), -1, dtype=np.int64)
    for a, fine in enumerate(chain):
        for b in range(a + 1, len(chain)):
            up = together.parents(fine, chain[b])
            parent[first_node[a] : first_node[a + 1], b] = first_node[b] + (-1 if up is None else up)
    level_k = np.repeat(ks[len(chain) :], [blocks[b].n_levels for b in tail])
    q_lead = sum(blocks[b].size for b in chain)
    level_position = q_lead + running(level_k)
    border, like = np.full(len(node_block), p1), np.arange(len(node_block))
    return lay_out(node_block, border, like, ks, parent, met_count, met_level, level_k, level_position, p1)


def lay_out(
    node_block: Ints,
    node_border: Ints,
    node_like: Ints,
    ks: Ints,
    parent: Ints,
    met_count: Ints,
    met_level: Ints,
    level_k: Ints,
    level_position: Ints,
    p1: int,
) -> PanelTables:
    """Lay out one panel per node.

    Parameters
    ----------
    node_block : (n_nodes,) place of a node's block in the chain. node_border, node_like : (n_nodes,) as in
        `layout`. ks : (n_blocks,) coefs of the blocks in elimination order.
    parent : (n_nodes, n_chain) node of each coarser block that a node lies in, or -1.
    met_count : (n_nodes,) tail levels that a node meets. met_level : those levels, node by node, increasing.
    level_k : coefs of each tail level. level_position : first position of each, and q. p1 : columns of [Q r].
    """
    position, row_start, panel_start, ancestor_start = _starts(
        node_block, node_border, ks, parent, met_count, met_level, level_k
    )
    met = (met_count, met_level, level_k, level_position)
    rows, ancestors = _rows(
        node_block, node_border, ks, parent, *met, p1, position, row_start, ancestor_start
    )
    relative_start, relative = np.zeros(1, dtype=np.int64), ancestors
    if len(ancestors) > 0:
        relative_start, relative = _relative(ks[node_block], row_start, rows, ancestor_start, ancestors)
    return PanelTables(
        node_block,
        node_border,
        node_like,
        position,
        panel_start,
        row_start,
        rows,
        ancestor_start,
        ancestors,
        relative_start,
        relative,
    )


def _starts(
    node_block: Ints,
    node_border: Ints,
    ks: Ints,
    parent: Ints,
    met_count: Ints,
    met_level: Ints,
    level_k: Ints,
) -> tuple[Ints, Ints, Ints, Ints]:
    """Each node's first position (n_nodes,), and where its rows, panel and ancestors start, and end."""
    k, above = ks[node_block], parent >= 0
    met = running(level_k[met_level])[running(met_count)]
    height = k + above @ ks[: parent.shape[1]] + np.diff(met) + node_border
    return running(k)[:-1], running(height), running(height * k), running(above.sum(axis=1))


def running(sizes: Ints) -> Ints:
    """Running sums, 0 first."""
    sums = np.zeros(len(sizes) + 1, dtype=np.int64)
    np.add.accumulate(sizes, out=sums[1:])
    return sums


@compiled
def _rows(
    node_block: Ints,
    node_border: Ints,
    ks: Ints,
    parent: Ints,
    met_count: Ints,
    met_level: Ints,
    level_k: Ints,
    level_position: Ints,
    p1: int,
    node_position: Ints,
    row_start: Ints,
    ancestor_start: Ints,
) -> tuple[Ints, Ints]:
    """Positions of all panels' rows, and all nodes' ancestors."""
    rows = np.empty(row_start[-1], dtype=np.int64)
    ancestors = np.empty(ancestor_start[-1], dtype=np.int64)
    met, r, s = 0, 0, 0
    for i in range(len(node_block)):
        for c in range(ks[node_block[i]]):
            rows[r] = node_position[i] + c
            r += 1
        for b in range(node_block[i] + 1, parent.shape[1]):
            if parent[i, b] < 0:
                continue
            ancestors[s] = parent[i, b]
            s += 1
            for c in range(ks[b]):
                rows[r] = node_position[parent[i, b]] + c
                r += 1
        for _ in range(met_count[i]):
            for c in range(level_k[met_level[met]]):
                rows[r] = level_position[met_level[met]] + c
                r += 1
            met += 1
        for c in range(p1 - node_border[i], p1):
            rows[r] = level_position[-1] + c
            r += 1
    return rows, ancestors


@compiled
def _relative(
    k: Ints, row_start: Ints, rows: Ints, ancestor_start: Ints, ancestors: Ints
) -> tuple[Ints, Ints]:
    """Where each ancestor's list starts, and the rows of its panel that hold the node's, from it on."""
    start = np.zeros(len(ancestors) + 1, dtype=np.int64)
    for i in range(len(k)):
        left = row_start[i + 1] - row_start[i] - k[i]
        for s in range(ancestor_start[i], ancestor_start[i + 1]):
            start[s + 1] = start[s] + left
            left -= k[ancestors[s]]
    relative = np.empty(start[-1], dtype=np.int64)
    for i in range(len(k)):
        for s in range(ancestor_start[i], ancestor_start[i + 1]):
            there = row_start[ancestors[s]]
            first = row_start[i + 1] - (start[s + 1] - start[s])
            for r in range(first, row_start[i + 1]):
                while rows[there] != rows[r]:
                    there += 1
                relative[start[s] + r - first] = there - row_start[ancestors[s]]
    return start, relative

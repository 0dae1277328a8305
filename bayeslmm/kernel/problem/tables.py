"""The symbolic stage: which rows each node's panel holds, and where they lie in its ancestors' panels."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from bayeslmm.kernel.arrays import Ints
from bayeslmm.kernel.compiled import compiled
from bayeslmm.kernel.problem.blocks import BlockShape
from bayeslmm.kernel.problem.together import Together, meet, spans


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
    node_block = np.repeat(np.arange(len(chain)), levels)
    found = [together.met(b, tail) for b in chain]
    none = np.zeros(0, dtype=np.int64)
    met_count = np.concatenate([none, *(m[0] for m in found)])
    met_level = np.concatenate([none, *(m[1] for m in found)])
    above_count, ancestors = _ancestors(chain, running(levels), together)
    level_k = np.repeat(ks[len(chain) :], [blocks[b].n_levels for b in tail])
    q_lead = sum(blocks[b].size for b in chain)
    level_position = q_lead + running(level_k)
    border, like = np.full(len(node_block), p1), np.arange(len(node_block))
    met = (met_count, met_level, level_k, level_position)
    return lay_out(node_block, border, like, ks, above_count, ancestors, *met, p1)


def _ancestors(chain: Sequence[int], first_node: Ints, together: Together) -> tuple[Ints, Ints]:
    """How many ancestors each node has, and which: later ones of its clique, all of those it lies in."""
    n_nodes = int(first_node[-1])
    cliques = [together.clique(b) + first for b, first in zip(chain, first_node[:-1], strict=True)]
    clique = np.concatenate([np.zeros(0, dtype=np.int64), *cliques])
    if len(chain) < 2 and not meet(clique):
        return np.zeros(n_nodes, dtype=np.int64), np.zeros(0, dtype=np.int64)
    members = np.argsort(clique, kind="stable")  # clique by clique
    place = np.empty(n_nodes, dtype=np.int64)
    place[members] = np.arange(n_nodes)
    stop = place[clique] + np.bincount(clique, minlength=n_nodes)[clique]
    start, count = np.zeros((2, n_nodes, len(chain)), dtype=np.int64)
    for a, fine in enumerate(chain):
        own = slice(first_node[a], first_node[a + 1])
        start[own, a], count[own, a] = place[own] + 1, stop[own] - place[own] - 1
        for b in range(a + 1, len(chain)):
            parents = together.parents(fine, chain[b])
            if parents is not None:
                parent = first_node[b] + parents
                start[own, b], count[own, b] = place[parent], stop[parent] - place[parent]
    return count.sum(axis=1), members[spans(start.ravel(), count.ravel())]


def lay_out(
    node_block: Ints,
    node_border: Ints,
    node_like: Ints,
    ks: Ints,
    above_count: Ints,
    ancestors: Ints,
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
    above_count : (n_nodes,) ancestors of a node. ancestors : those nodes, node by node, increasing.
    met_count : (n_nodes,) tail levels that a node meets. met_level : those levels, node by node, increasing.
    level_k : coefs of each tail level. level_position : first position of each, and q. p1 : columns of [Q r].
    """
    k, ancestor_start = ks[node_block], running(above_count)
    above = _between(k[ancestors], ancestor_start)
    met = _between(level_k[met_level], running(met_count))
    height = k + above + met + node_border
    position, row_start = running(k)[:-1], running(height)
    rows = _rows(
        k,
        node_border,
        ancestor_start,
        ancestors,
        met_count,
        met_level,
        level_k,
        level_position,
        p1,
        position,
        row_start,
    )
    relative_start, relative = np.zeros(0, dtype=np.int64), ancestors
    if len(ancestors) > 0:
        relative_start, relative = _relative(node_block, k, row_start, rows, ancestor_start, ancestors)
    return PanelTables(
        node_block,
        node_border,
        node_like,
        position,
        running(height * k),
        row_start,
        rows,
        ancestor_start,
        ancestors,
        relative_start,
        relative,
    )


def running(sizes: Ints) -> Ints:
    """Running sums, 0 first."""
    sums = np.zeros(len(sizes) + 1, dtype=np.int64)
    np.add.accumulate(sizes, out=sums[1:])
    return sums


def _between(sizes: Ints, start: Ints) -> Ints:
    """Sums of sizes from each start to the next."""
    sums = running(sizes)[start]
    return sums[1:] - sums[:-1]


@compiled
def _rows(
    k: Ints,
    node_border: Ints,
    ancestor_start: Ints,
    ancestors: Ints,
    met_count: Ints,
    met_level: Ints,
    level_k: Ints,
    level_position: Ints,
    p1: int,
    node_position: Ints,
    row_start: Ints,
) -> Ints:
    """Positions of all panels' rows."""
    rows = np.empty(row_start[-1], dtype=np.int64)
    met, r = 0, 0
    for i in range(len(k)):
        for c in range(k[i]):
            rows[r] = node_position[i] + c
            r += 1
        for s in range(ancestor_start[i], ancestor_start[i + 1]):
            for c in range(k[ancestors[s]]):
                rows[r] = node_position[ancestors[s]] + c
                r += 1
        for _ in range(met_count[i]):
            for c in range(level_k[met_level[met]]):
                rows[r] = level_position[met_level[met]] + c
                r += 1
            met += 1
        for c in range(p1 - node_border[i], p1):
            rows[r] = level_position[-1] + c
            r += 1
    return rows


@compiled
def _relative(
    node_block: Ints, k: Ints, row_start: Ints, rows: Ints, ancestor_start: Ints, ancestors: Ints
) -> tuple[Ints, Ints]:
    """Where each ancestor's list starts, and the rows of its panel that hold the node's, from it on.

    A node of the same clique has all of these rows and no others: one list serves them all.
    """
    start = np.zeros(len(ancestors), dtype=np.int64)
    longest, total = 0, 0
    for i in range(len(k)):
        left = row_start[i + 1] - row_start[i] - k[i]
        for s in range(ancestor_start[i], ancestor_start[i + 1]):
            if node_block[ancestors[s]] == node_block[i]:
                longest = max(longest, left)
            else:
                start[s] = total
                total += left
            left -= k[ancestors[s]]
    relative = np.empty(longest + total, dtype=np.int64)
    for r in range(longest):
        relative[r] = r
    for i in range(len(k)):
        first = row_start[i] + k[i]
        for s in range(ancestor_start[i], ancestor_start[i + 1]):
            if node_block[ancestors[s]] != node_block[i]:
                start[s] += longest
                there = row_start[ancestors[s]]
                for r in range(first, row_start[i + 1]):
                    while rows[there] != rows[r]:
                        there += 1
                    relative[start[s] + r - first] = there - row_start[ancestors[s]]
            first += k[ancestors[s]]
    return start, relative

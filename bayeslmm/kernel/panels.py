"""The symbolic stage: which rows each node's panel holds, and where they lie in its ancestors' panels."""

from dataclasses import dataclass

import numpy as np

from bayeslmm.kernel.blocks import BlockRows, Ints, parents
from bayeslmm.kernel.compiled import compiled


@dataclass(frozen=True, slots=True)
class Panels:
    """Index tables of the panels, named as in `layout`, and where each data row's cross-products go.

    Attributes
    ----------
    slots : (n, n_chain, n_tail) offset into the panel values of the row's tail cross-products.
    """

    node_block: Ints
    node_position: Ints
    panel_start: Ints
    row_start: Ints
    rows: Ints
    ancestor_start: Ints
    ancestors: Ints
    relative_start: Ints
    relative: Ints
    slots: Ints


def tail_levels_met(block: BlockRows, tail: list[BlockRows]) -> tuple[Ints, Ints, Ints]:
    """Tail levels, numbered through all tail blocks, that occur with each level of a chain block.

    Returns
    -------
    counts : (J,) number of tail levels met; levels : those levels, node by node, increasing;
    pair : (n, n_tail) index into `levels` of the pair that a row belongs to.
    """
    offsets = np.cumsum([0, *(t.n_levels for t in tail)])
    if not tail:
        none = np.zeros(0, dtype=np.int64)
        return np.zeros(block.n_levels, dtype=np.int64), none, np.zeros((len(block.codes), 0), dtype=np.int64)
    keys = np.stack([block.codes * offsets[-1] + t.codes + o for t, o in zip(tail, offsets, strict=False)])
    met, pair = np.unique(keys, return_inverse=True)
    counts = np.bincount(met // offsets[-1], minlength=block.n_levels)
    return counts, met % offsets[-1], np.ascontiguousarray(pair.reshape(keys.shape).T)


def panel_tables(chain: list[BlockRows], tail: list[BlockRows], p1: int) -> Panels:
    """Lay out one panel per level of the chain blocks; `p1` rows of [Q r] end every panel."""
    levels = np.array([b.n_levels for b in chain], dtype=np.int64)
    ks = np.array([b.k for b in [*chain, *tail]], dtype=np.int64)
    first_node = np.append(0, np.cumsum(levels))
    node_block = np.repeat(np.arange(len(chain)), levels)
    met = [tail_levels_met(b, tail) for b in chain]
    none = np.zeros(0, dtype=np.int64)
    met_count = np.concatenate([none, *(m[0] for m in met)])
    met_level = np.concatenate([none, *(m[1] for m in met)])
    parent = np.full((len(node_block), max(len(chain), 1)), -1, dtype=np.int64)
    for a, fine in enumerate(chain):
        for b in range(a + 1, len(chain)):
            up = parents(fine, chain[b])
            parent[first_node[a] : first_node[a + 1], b] = first_node[b] + (-1 if up is None else up)
    level_k = np.repeat(ks[len(chain) :], [t.n_levels for t in tail])
    q_lead = int(np.sum(levels * ks[: len(chain)]))
    level_position = q_lead + np.append(0, np.cumsum(level_k))
    tables = _panel_tables(node_block, ks, parent, met_count, met_level, level_k, level_position, p1)
    panel_start, within = tables[1], tables[-1]
    slots = _slots(chain, met, first_node, met_count, panel_start, within, len(tail))
    return Panels(node_block, *tables[:-1], slots)


def _slots(
    chain: list[BlockRows],
    met: list[tuple[Ints, Ints, Ints]],
    first_node: Ints,
    met_count: Ints,
    panel_start: Ints,
    within: Ints,
    n_tail: int,
) -> Ints:
    n = len(chain[0].codes) if chain else 0
    slots = np.zeros((n, len(chain), n_tail), dtype=np.int64)
    met_start = np.append(0, np.cumsum(met_count))
    for a, block in enumerate(chain):
        start = panel_start[first_node[a] + block.codes]
        pair = met_start[first_node[a]] + met[a][2]
        slots[:, a, :] = start[:, None] + within[pair] * block.k
    return slots


@compiled
def _panel_tables(
    node_block: Ints,
    ks: Ints,
    parent: Ints,
    met_count: Ints,
    met_level: Ints,
    level_k: Ints,
    level_position: Ints,
    p1: int,
) -> tuple[Ints, Ints, Ints, Ints, Ints, Ints, Ints, Ints, Ints]:
    n_nodes, n_chain = parent.shape
    node_position = np.zeros(n_nodes, dtype=np.int64)
    panel_start = np.zeros(n_nodes + 1, dtype=np.int64)
    row_start = np.zeros(n_nodes + 1, dtype=np.int64)
    ancestor_start = np.zeros(n_nodes + 1, dtype=np.int64)
    position, met = 0, 0
    for i in range(n_nodes):
        k = ks[node_block[i]]
        node_position[i] = position
        position += k
        height = k + p1
        n_ancestors = 0
        for b in range(node_block[i] + 1, n_chain):
            height += ks[b]
            n_ancestors += 1
        for s in range(met, met + met_count[i]):
            height += level_k[met_level[s]]
        met += met_count[i]
        row_start[i + 1] = row_start[i] + height
        panel_start[i + 1] = panel_start[i] + height * k
        ancestor_start[i + 1] = ancestor_start[i] + n_ancestors
    q = level_position[-1]
    rows = np.zeros(row_start[-1], dtype=np.int64)
    ancestors = np.zeros(ancestor_start[-1], dtype=np.int64)
    within = np.zeros(len(met_level), dtype=np.int64)
    met = 0
    for i in range(n_nodes):
        r = row_start[i]
        for c in range(ks[node_block[i]]):
            rows[r] = node_position[i] + c
            r += 1
        s = ancestor_start[i]
        for b in range(node_block[i] + 1, n_chain):
            ancestors[s] = parent[i, b]
            s += 1
            for c in range(ks[b]):
                rows[r] = node_position[parent[i, b]] + c
                r += 1
        for _ in range(met_count[i]):
            within[met] = r - row_start[i]
            for c in range(level_k[met_level[met]]):
                rows[r] = level_position[met_level[met]] + c
                r += 1
            met += 1
        for c in range(p1):
            rows[r] = q + c
            r += 1
    relative_start = np.zeros(len(ancestors) + 1, dtype=np.int64)
    for i in range(n_nodes):
        skipped = ks[node_block[i]]
        for s in range(ancestor_start[i], ancestor_start[i + 1]):
            relative_start[s + 1] = relative_start[s] + row_start[i + 1] - row_start[i] - skipped
            skipped += ks[node_block[ancestors[s]]]
    relative = np.zeros(relative_start[-1], dtype=np.int64)
    for i in range(n_nodes):
        for s in range(ancestor_start[i], ancestor_start[i + 1]):
            there = row_start[ancestors[s]]
            first = row_start[i + 1] - (relative_start[s + 1] - relative_start[s])
            for r in range(first, row_start[i + 1]):
                while rows[there] != rows[r]:
                    there += 1
                relative[relative_start[s] + r - first] = there - row_start[ancestors[s]]
    return (
        node_position,
        panel_start,
        row_start,
        rows,
        ancestor_start,
        ancestors,
        relative_start,
        relative,
        within,
    )

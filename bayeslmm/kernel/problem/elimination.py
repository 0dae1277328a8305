"""The order of elimination of a problem, what its panels hold, and where cross-products go in them."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate
from typing import Any

import numpy as np

from bayeslmm.kernel.arrays import Floats, Ints
from bayeslmm.kernel.compiled import compiled, inlined
from bayeslmm.kernel.problem import layout as at
from bayeslmm.kernel.problem.blocks import BlockShape, elimination_order
from bayeslmm.kernel.problem.entries import RowsByLevel
from bayeslmm.kernel.problem.layout import Ancestor, Block, Node, Problem
from bayeslmm.kernel.problem.tables import PanelTables, panel_tables, running
from bayeslmm.kernel.problem.together import Together, meet


@dataclass(frozen=True, eq=False)
class Elimination:
    """What is known of a packed problem before a number is computed.

    Attributes
    ----------
    blocks : in public order. chain, tail : numbers of the blocks eliminated node by node, and held dense.
    tables : where everything lies. p1 : columns of [Q r].
    meet : of each block in public order, whether R joins rows of several levels.
    """

    blocks: tuple[BlockShape, ...]
    chain: tuple[int, ...]
    tail: tuple[int, ...]
    tables: PanelTables
    p1: int
    meet: tuple[bool, ...]

    @classmethod
    def of(cls, blocks: Sequence[BlockShape], together: Together, p1: int) -> "Elimination":
        """Decide the order and lay out the panels."""
        cliques = [together.clique(b) for b in range(len(blocks))]
        chain, tail = elimination_order(blocks, lambda a, b: together.parents(a, b) is not None, cliques)
        tables = panel_tables(blocks, chain, tail, together, p1)
        joined = tuple(meet(clique) for clique in cliques)
        return cls(tuple(blocks), tuple(chain), tuple(tail), tables, p1, joined)

    @property
    def order(self) -> tuple[int, ...]:
        """Block numbers in elimination order."""
        return self.chain + self.tail

    @cached_property
    def q_tail(self) -> int:
        return sum(self.blocks[b].size for b in self.tail)

    @cached_property
    def ks(self) -> Ints:
        """Coefs of each block, in elimination order."""
        return np.array([self.blocks[b].k for b in self.order], dtype=np.int64)

    @cached_property
    def levels(self) -> Ints:
        """Levels of each block, in elimination order."""
        return np.array([self.blocks[b].n_levels for b in self.order], dtype=np.int64)

    def nothing(self) -> tuple[Floats, Floats]:
        """Cross-products of no rows: the panels' values, and the tail bordered by [Q r], lower triangle."""
        width = self.q_tail + self.p1
        return np.zeros(self.tables.panel_start[-1]), np.zeros((width, width))

    @cached_property
    def first_level(self) -> Ints:
        """(n_blocks + 1,) number of each block's first level through all of them in elimination order."""
        return running(self.levels)

    @cached_property
    def level_position(self) -> Ints:
        """(n_levels + 1,) first position of every level, and q."""
        return running(np.repeat(self.ks, self.levels))

    def add(self, values: Floats, dense: Floats, rows: RowsByLevel) -> None:
        """Add the cross-products of some rows to `values` and `dense`."""
        _add_rows(*rows, self.level_position, *self._places, values, dense.reshape(-1), self.q_tail)

    def pull(self, values_bar: Floats, dense_bar: Floats, rows: RowsByLevel) -> tuple[Floats, Floats]:
        """The transpose of `add`: from derivatives by what it adds to those by the rows.

        Parameters
        ----------
        values_bar, dense_bar : by each element that `add` writes; [Q r]ᵀ[Q r], which it doesn't, is left out.

        Returns
        -------
        by `values` and by `right` of the rows.
        """
        by_values, by_right = np.zeros_like(rows.values), np.zeros_like(rows.right)
        bars = values_bar, dense_bar.reshape(-1), self.q_tail
        _pull_rows(*rows, self.level_position, *self._places, *bars, by_values, by_right)
        return by_values, by_right

    @property
    def _places(self) -> tuple[Ints, Ints, Ints]:
        return self.tables.panel_start, self.tables.row_start, self.tables.rows

    @cached_property
    def sizes(self) -> list[int]:
        """Effects of each block, in elimination order."""
        return [self.blocks[b].size for b in self.order]

    def pack_ints(self, n: int) -> Ints:
        """The header and tables of a problem of n rows."""
        header = self._header(n)
        rows = (np.asarray(each).T.ravel() for each in self._tables(header))
        return np.concatenate([header, *rows], dtype=np.int64)

    def _header(self, n: int) -> Ints:
        tables, q, n_lam = self.tables, sum(self.sizes), sum(b.k**2 for b in self.blocks)
        n_nodes, n_panel, p = len(tables.node_block), int(tables.panel_start[-1]), self.p1 - 1
        lengths = {
            at.BLOCKS: len(self.blocks) * len(Block._fields),
            at.NODES: n_nodes * len(Node._fields),
            at.ROWS: len(tables.rows),
            at.ANCESTORS: len(tables.ancestors) * len(Ancestor._fields),
            at.RELATIVE: len(tables.relative),
            at.POSITION_BLOCK: q,
            at.PUBLIC: q,
        }
        floats = {
            at.WHITEN: n_lam,
            at.PANELS: n_panel,
            at.TAIL: (self.q_tail + self.p1) ** 2,
            at.RX: p**2,
            at.GAMMA: p,
            at.NODE_WEIGHT: n_nodes,
            at.CONSTANTS: 0,
        }
        entries = {
            at.N_BLOCKS: len(self.blocks),
            at.N_NODES: n_nodes,
            at.Q_LEAD: q - self.q_tail,
            at.Q_TAIL: self.q_tail,
            at.P: p,
            at.N_LAM: n_lam,
            at.N_PANEL: n_panel,
            at.N_ROWS: n,
            **dict(zip(lengths, accumulate(lengths.values(), initial=at.HEADER), strict=False)),
            **dict(zip(floats, accumulate(floats.values(), initial=0), strict=False)),
        }
        return np.array([entries[place] for place in range(at.HEADER)], dtype=np.int64)

    def _tables(self, header: Ints) -> list[Any]:
        """What stands behind the header."""
        tables, none = self.tables, np.zeros(0, dtype=np.int64)
        public_start = list(accumulate((b.size for b in self.blocks), initial=0))
        lam_start = list(accumulate((b.k**2 for b in self.blocks), initial=0))
        lam = np.array([lam_start[b] for b in self.order], dtype=np.int64)
        tail = [0] * len(self.chain) + list(accumulate(self.sizes[len(self.chain) :], initial=0))
        of_node = tables.node_block
        return [
            Block(self.ks, lam, tail[:-1], tail[1:]),
            Node(
                block=of_node,
                k=self.ks[of_node],
                lam=lam[of_node],
                position=tables.node_position,
                panel=tables.panel_start[:-1],
                rows=header[at.ROWS] + tables.row_start[:-1],
                height=np.diff(tables.row_start),
                border=tables.node_border,
                like=tables.node_like,
                ancestors=tables.ancestor_start[:-1],
                ancestors_stop=tables.ancestor_start[1:],
            ),
            tables.rows,
            Ancestor(tables.ancestors, header[at.RELATIVE] + tables.relative_start),
            tables.relative,
            np.repeat(np.arange(len(self.sizes)), self.sizes),
            np.concatenate([none, *(np.arange(public_start[b], public_start[b + 1]) for b in self.order)]),
        ]


def pack_floats(
    ints: Ints,
    white: Sequence[Floats],
    values: Floats,
    dense: Floats,
    R: Floats,
    gamma: Floats,
    constants: Floats,
) -> Problem:
    """The problem with its numbers, as `layout` says, every node its own; `white` is in elimination order."""
    public = [white[place] for place in np.argsort(Problem(ints, values).blocks.lam)]
    parts = (*public, values, dense, R, gamma, np.ones(ints[at.N_NODES]), constants)
    return Problem(ints, np.concatenate([part.ravel() for part in parts]))


@inlined
def _found(rows: Ints, low: int, high: int, position: int) -> int:
    """Where an increasing list holds a position, from `low` on."""
    if rows[low] == position:
        return low
    while low < high:
        middle = (low + high) // 2
        if rows[middle] < position:
            low = middle + 1
        else:
            high = middle
    return low


@compiled
def _add_rows(
    start: Ints,
    level: Ints,
    z: Floats,
    right: Floats,
    level_position: Ints,
    panel_start: Ints,
    row_start: Ints,
    panel_rows: Ints,
    values: Floats,
    dense: Floats,
    q_tail: int,
) -> None:
    """For every pair of entries of a row, the outer product where it lies in the earlier level's columns."""
    n_nodes, p1 = len(panel_start) - 1, right.shape[1]
    q_lead, width = level_position[n_nodes], q_tail + p1
    x = 0
    for i in range(len(right)):
        for e in range(start[i], start[i + 1]):
            node, own = level[e], level_position[level[e]]
            k, leads, y = level_position[level[e] + 1] - own, node < n_nodes, x
            into, stride = (values, k) if leads else (dense, width)
            row = row_start[node] if leads else 0
            for f in range(e, start[i + 1]):
                position = level_position[level[f]]
                if leads:
                    row = _found(panel_rows, row, row_start[node + 1] - p1 - 1, position)
                    to = panel_start[node] + (row - row_start[node]) * k
                else:
                    to = (position - q_lead) * width + own - q_lead
                height = level_position[level[f] + 1] - position
                for r in range(height):
                    for c in range(k):
                        into[to + r * stride + c] += z[y + r] * z[x + c]
                y += height
                row += height
            to = panel_start[node + 1] - p1 * k if leads else q_tail * width + own - q_lead
            for r in range(p1):
                for c in range(k):
                    into[to + r * stride + c] += right[i, r] * z[x + c]
            x += k


@compiled
def _pull_rows(
    start: Ints,
    level: Ints,
    z: Floats,
    right: Floats,
    level_position: Ints,
    panel_start: Ints,
    row_start: Ints,
    panel_rows: Ints,
    values: Floats,
    dense: Floats,
    q_tail: int,
    by_z: Floats,
    by_right: Floats,
) -> None:
    """The transpose of `_add_rows`, `values` and `dense` being derivatives; adds to `by_z` and `by_right`."""
    n_nodes, p1 = len(panel_start) - 1, right.shape[1]
    q_lead, width = level_position[n_nodes], q_tail + p1
    x = 0
    for i in range(len(right)):
        for e in range(start[i], start[i + 1]):
            node, own = level[e], level_position[level[e]]
            k, leads, y = level_position[level[e] + 1] - own, node < n_nodes, x
            bar, stride = (values, k) if leads else (dense, width)
            row = row_start[node] if leads else 0
            for f in range(e, start[i + 1]):
                position = level_position[level[f]]
                if leads:
                    row = _found(panel_rows, row, row_start[node + 1] - p1 - 1, position)
                    at_bar = panel_start[node] + (row - row_start[node]) * k
                else:
                    at_bar = (position - q_lead) * width + own - q_lead
                height = level_position[level[f] + 1] - position
                for r in range(height):
                    for c in range(k):
                        by_z[y + r] += bar[at_bar + r * stride + c] * z[x + c]
                        by_z[x + c] += bar[at_bar + r * stride + c] * z[y + r]
                y += height
                row += height
            at_bar = panel_start[node + 1] - p1 * k if leads else q_tail * width + own - q_lead
            for r in range(p1):
                for c in range(k):
                    by_right[i, r] += bar[at_bar + r * stride + c] * z[x + c]
                    by_z[x + c] += bar[at_bar + r * stride + c] * right[i, r]
            x += k

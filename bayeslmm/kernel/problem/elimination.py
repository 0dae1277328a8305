"""The order of elimination of a problem, what its panels hold, and where cross-products go in them."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate
from typing import Any

import numpy as np

from bayeslmm.kernel.arrays import Floats, Ints
from bayeslmm.kernel.compiled import compiled
from bayeslmm.kernel.problem import layout as at
from bayeslmm.kernel.problem.blocks import BlockShape, elimination_order
from bayeslmm.kernel.problem.layout import Ancestor, Block, Node, Problem
from bayeslmm.kernel.problem.tables import PanelTables, panel_tables, running
from bayeslmm.kernel.problem.together import Together


@dataclass(frozen=True, eq=False)
class Elimination:
    """What is known of a packed problem before a number is computed.

    Attributes
    ----------
    blocks : in public order. chain, tail : numbers of the blocks eliminated node by node, and held dense.
    tables : where everything lies. p1 : columns of [Q r].
    """

    blocks: tuple[BlockShape, ...]
    chain: tuple[int, ...]
    tail: tuple[int, ...]
    tables: PanelTables
    p1: int

    @classmethod
    def of(cls, blocks: Sequence[BlockShape], together: Together, p1: int) -> "Elimination":
        """Decide the order and lay out the panels."""
        chain, tail = elimination_order(blocks, lambda a, b: together.parents(a, b) is not None)
        return cls(
            tuple(blocks), tuple(chain), tuple(tail), panel_tables(blocks, chain, tail, together, p1), p1
        )

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

    def add(
        self, values: Floats, dense: Floats, columns: Sequence[Floats], codes: Sequence[Ints], right: Floats
    ) -> None:
        """Add the cross-products of some rows.

        Parameters
        ----------
        values, dense : changed in place. columns, codes : of the blocks in elimination order, (m, k), (m,).
        right : (m, p1).
        """
        rows = np.hstack([*columns, right])
        each = np.stack(codes, axis=1) if codes else np.zeros((len(right), 0), dtype=np.int64)
        n_chain, levels, tables = len(self.chain), self.levels, self.tables
        first_node, first_tail = running(levels[:n_chain]), running((levels * self.ks)[n_chain:])
        places = (tables.panel_start, tables.row_start, tables.rows)
        _add_rows(rows, each, self.ks, first_node, first_tail, *places, values, dense)

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
            Ancestor(tables.ancestors, header[at.RELATIVE] + tables.relative_start[:-1]),
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
    problem = Problem(ints, np.zeros(ints[at.CONSTANTS] + len(constants)))
    for start, c in zip(problem.blocks.lam.tolist(), white, strict=True):
        problem.white[start : start + c.size] = c.ravel()
    problem.panels[:], problem.tail[:], problem.R_X[:] = values, dense, R
    problem.gamma[:], problem.node_weight[:], problem.constants[:] = gamma, 1.0, constants
    return problem


@compiled
def _add_rows(
    rows: Floats,
    codes: Ints,
    ks: Ints,
    first_node: Ints,
    first_tail: Ints,
    panel_start: Ints,
    row_start: Ints,
    panel_rows: Ints,
    values: Floats,
    dense: Floats,
) -> None:
    n, n_blocks = codes.shape
    n_chain = len(first_node) - 1
    start = np.zeros(n_blocks + 1, dtype=np.int64)
    for b in range(n_blocks):
        start[b + 1] = start[b] + ks[b]
    first_right = start[n_blocks]
    p1 = rows.shape[1] - first_right
    q_tail = dense.shape[0] - p1
    q_lead = 0
    for a in range(n_chain):
        q_lead += (first_node[a + 1] - first_node[a]) * ks[a]
    for i in range(n):
        for a in range(n_chain):
            node = first_node[a] + codes[i, a]
            k = ks[a]
            v = panel_start[node]
            for b in range(a, n_chain):
                for r in range(start[b], start[b + 1]):
                    for c in range(k):
                        values[v] += rows[i, r] * rows[i, start[a] + c]
                        v += 1
            for b in range(n_chain, n_blocks):
                position = q_lead + first_tail[b - n_chain] + codes[i, b] * ks[b]
                low, high = row_start[node], row_start[node + 1] - p1 - 1
                while low < high:  # the panel's row of that position: they increase
                    middle = (low + high) // 2
                    if panel_rows[middle] < position:
                        low = middle + 1
                    else:
                        high = middle
                v = panel_start[node] + (low - row_start[node]) * k
                for r in range(start[b], start[b + 1]):
                    for c in range(k):
                        values[v] += rows[i, r] * rows[i, start[a] + c]
                        v += 1
            v = panel_start[node + 1] - p1 * k
            for r in range(first_right, first_right + p1):
                for c in range(k):
                    values[v] += rows[i, r] * rows[i, start[a] + c]
                    v += 1
        for a in range(n_chain, n_blocks):
            column = first_tail[a - n_chain] + codes[i, a] * ks[a]
            for b in range(a, n_blocks):
                row = first_tail[b - n_chain] + codes[i, b] * ks[b]
                for r in range(ks[b]):
                    for c in range(ks[a]):
                        dense[row + r, column + c] += rows[i, start[b] + r] * rows[i, start[a] + c]
            for r in range(p1):
                for c in range(ks[a]):
                    dense[q_tail + r, column + c] += rows[i, first_right + r] * rows[i, start[a] + c]

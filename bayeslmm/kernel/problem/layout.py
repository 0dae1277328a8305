"""How one problem is packed into two flat arrays, so that compiled code never depends on a data set.

The first entries of ``ints`` are a header: sizes, then the offset at which each table starts. Blocks stand in
*elimination order*: a chain of blocks, each nested in the next (its levels are the *nodes*, eliminated one by
one), then the *tail*, held dense. Positions number the random effects in that order; the p + 1 columns of
[Q r] come last, as rows that every node touches.

Each node has a *panel* of R rows and k columns, row-major: its own k rows, the rows of its ancestors in the
chain, the tail rows it meets in the data, and the p + 1 rows of [Q r], its *border*. Only in a condensed
problem (see `condensed`), and only of nodes without ancestors and tail rows, some know r alone, some are
*like* another, whose own rows of the factor are theirs, too, and some stand for as many equal ones, as far as
log|V₀| goes, as their weight says; the weight of a node that is like another is 0, that other's counts for
both.

Compiled code reads the tables by `block_of`, `block_at`, `node_of`, `position_of`, `ancestor_of` and
`relative_of`, which are copied into their callers; Python reads them by the properties of `Problem`.
"""

from typing import NamedTuple

from bayeslmm.kernel.arrays import Floats, Ints
from bayeslmm.kernel.compiled import copied

# sizes
N_BLOCKS = 0
N_NODES = 1
Q_LEAD = 2
Q_TAIL = 3
P = 4
N_LAM = 5
N_PANEL = 6
N_ROWS = 7
# offsets into ints
BLOCKS = 8  # (n_blocks, BLOCK) a `Block` in each row
NODES = 9  # (n_nodes, NODE) a `Node` in each row
ROWS = 10  # position of every panel row
ANCESTORS = (
    11  # (n_ancestors, ANCESTOR) an `Ancestor` in each row, a node's one after the other, nearest first
)
RELATIVE = 12  # row of the ancestor's panel that holds each row of the node's panel, from the ancestor on
POSITION_BLOCK = 13  # (q,) block of a position
PUBLIC = 14  # (q,) public index (block, level, coef) of a position
# offsets into floats
WHITEN = 15  # 0: (n_lam,) C⁻¹ of each block, row-major, at its `lam`: the kernel's factor is C⁻¹Λ
PANELS = 16  # (n_panel,) cross-products
TAIL = 17  # (q_tail + p + 1)² cross-products, full and symmetric
RX = 18  # (p, p) upper triangular, R^{-½}X = Q R_X
GAMMA = 19  # (p,) QᵀR^{-½}y
NODE_WEIGHT = 20  # (n_nodes,) how often log|L|² of a node counts
CONSTANTS = 21  # log|R|, log|det R_X|
HEADER = 22


class Block[T](NamedTuple):
    """A block, or the table of all.

    Attributes
    ----------
    k : its coefs. lam : where its factor starts in Λ, all blocks' laid out one after the other. tail, stop :
    its first column in the tail and the one after its last; equal for a block of the chain.
    """

    k: T
    lam: T
    tail: T
    stop: T


class Node[T](NamedTuple):
    """A node, or the table of all.

    Attributes
    ----------
    block : its block. k, lam : as of its block. position : its first position. panel : where its panel starts
    among all panels' values. rows : where its panel's rows are listed, in ints. height : how many they are.
    border : how many of the rows of [Q r], the last ones, they have. like : the node whose own k rows of the
    factor are its, too, itself or an earlier one. ancestors, ancestors_stop : numbers of its ancestors, the
    first and the one after the last.
    """

    block: T
    k: T
    lam: T
    position: T
    panel: T
    rows: T
    height: T
    border: T
    like: T
    ancestors: T
    ancestors_stop: T


class Ancestor[T](NamedTuple):
    """An ancestor of a node, or the table of all.

    Attributes
    ----------
    node : its number. relative : where the rows of its panel that hold the node's are listed, in ints.
    """

    node: T
    relative: T


BLOCK, NODE, ANCESTOR = (len(row._fields) for row in (Block, Node, Ancestor))


class Problem(NamedTuple):
    """One problem, packed."""

    ints: Ints
    floats: Floats

    @property
    def blocks(self) -> Block[Ints]:
        """The table of blocks, in elimination order."""
        return Block(*self._table(BLOCKS, self.ints[N_BLOCKS], BLOCK))

    @property
    def nodes(self) -> Node[Ints]:
        """The table of nodes."""
        return Node(*self._table(NODES, self.ints[N_NODES], NODE))

    @property
    def ancestors(self) -> Ancestor[Ints]:
        """The table of all nodes' ancestors."""
        n_ancestors = (self.ints[RELATIVE] - self.ints[ANCESTORS]) // ANCESTOR
        return Ancestor(*self._table(ANCESTORS, n_ancestors, ANCESTOR))

    @property
    def position_block(self) -> Ints:
        """(q,) block of a position."""
        return self.ints[self.ints[POSITION_BLOCK] :][: self.q]

    @property
    def public(self) -> Ints:
        """(q,) public index of a position."""
        return self.ints[self.ints[PUBLIC] :][: self.q]

    @property
    def q(self) -> int:
        """Random effects."""
        return int(self.ints[Q_LEAD] + self.ints[Q_TAIL])

    @property
    def p(self) -> int:
        """Columns of Q."""
        return int(self.ints[P])

    @property
    def white(self) -> Floats:
        """(n_lam,) C⁻¹ of every block."""
        return self.floats[: self.ints[PANELS]]

    @property
    def panels(self) -> Floats:
        """(n_panel,) the cross-products of the nodes."""
        return self.floats[self.ints[PANELS] : self.ints[TAIL]]

    @property
    def tail(self) -> Floats:
        """The tail's cross-products bordered by [Q r], (q_tail + p + 1, ...)."""
        width = int(self.ints[Q_TAIL]) + self.p + 1
        return self.floats[self.ints[TAIL] : self.ints[RX]].reshape(width, width)

    @property
    def R_X(self) -> Floats:
        """(p, p) upper triangular, R^{-½}X = Q R_X."""
        return self.floats[self.ints[RX] : self.ints[GAMMA]].reshape(self.p, self.p)

    @property
    def gamma(self) -> Floats:
        """(p,) QᵀR^{-½}y."""
        return self.floats[self.ints[GAMMA] : self.ints[NODE_WEIGHT]]

    @property
    def node_weight(self) -> Floats:
        """(n_nodes,) how often log|L|² of a node counts."""
        return self.floats[self.ints[NODE_WEIGHT] : self.ints[CONSTANTS]]

    @property
    def constants(self) -> Floats:
        """(2,) log|R|, log|det R_X|."""
        return self.floats[self.ints[CONSTANTS] :]

    def _table(self, entry: int, length: int, width: int) -> Ints:
        return self.ints[self.ints[entry] :][: length * width].reshape(length, width).T


@copied
def block_of(problem: Problem, b: int) -> Block[int]:
    """The block at a place of the elimination order."""
    ints = problem.ints
    row = ints[BLOCKS] + BLOCK * b
    return Block(ints[row], ints[row + 1], ints[row + 2], ints[row + 3])


@copied
def block_at(problem: Problem, position: int) -> Block[int]:
    """The block of a position."""
    ints = problem.ints
    row = ints[BLOCKS] + BLOCK * ints[ints[POSITION_BLOCK] + position]
    return Block(ints[row], ints[row + 1], ints[row + 2], ints[row + 3])


@copied
def node_of(problem: Problem, i: int) -> Node[int]:
    """A node."""
    ints = problem.ints
    row = ints[NODES] + NODE * i
    return Node(
        ints[row],
        ints[row + 1],
        ints[row + 2],
        ints[row + 3],
        ints[row + 4],
        ints[row + 5],
        ints[row + 6],
        ints[row + 7],
        ints[row + 8],
        ints[row + 9],
        ints[row + 10],
    )


@copied
def ancestor_of(problem: Problem, s: int) -> Ancestor[int]:
    """An ancestor by its number among all."""
    ints = problem.ints
    row = ints[ANCESTORS] + ANCESTOR * s
    return Ancestor(ints[row], ints[row + 1])


@copied
def position_of(problem: Problem, node: Node[int], r: int) -> int:
    """Position of a row of a node's panel."""
    position: int = problem.ints[node.rows + r]
    return position


@copied
def relative_of(problem: Problem, ancestor: Ancestor[int], r: int) -> int:
    """Row of the ancestor's panel that holds the node's r-th row from the ancestor on."""
    row: int = problem.ints[ancestor.relative + r]
    return row

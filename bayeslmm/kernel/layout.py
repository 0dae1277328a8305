"""How one problem is packed into two flat arrays, so that compiled code never depends on a data set.

A problem is a pair ``(ints, floats)``. The first entries of ``ints`` are a header: sizes, then the offset at
which each table starts. Blocks stand in *elimination order*: a chain of blocks, each nested in the next (its
levels are the *nodes*, eliminated one by one), then the *tail*, held dense. Positions number the random
effects in that order; the p + 1 columns of [Q r] come last, as rows that every node touches.

Each node has a *panel* of R rows and k columns, row-major: its own k rows, the rows of its ancestors in the
chain, the tail rows it meets in the data, and the p + 1 rows of [Q r]. Only in a condensed problem (see
`condensed`), and only of nodes without ancestors and tail rows, some know r alone, some share the own rows of
another's factor, and some stand for as many equal ones, as far as log|V₀| goes, as their weight says; the
weight of a node that shares another's own rows is 0, that other's counts for both.
"""

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
BLOCK_K = 8  # (n_blocks,) coefs of a block
BLOCK_LAM = 9  # (n_blocks,) where its factor starts in lam
NODE_BLOCK = 10  # (n_nodes,)
NODE_POSITION = 11  # (n_nodes,) first position of the node
PANEL_START = 12  # (n_nodes + 1,) into the panel values
ROW_START = 13  # (n_nodes + 1,) into ROWS
ROWS = 14  # position of every panel row
ANCESTOR_START = 15  # (n_nodes + 1,) into ANCESTORS
ANCESTORS = 16  # node numbers, nearest first
RELATIVE_START = 17  # (n_ancestors + 1,) into RELATIVE
RELATIVE = 18  # row of the ancestor's panel that holds each row of the node's panel, from the ancestor on
POSITION_BLOCK = 19  # (q,) block of a position
PUBLIC = 20  # (q,) public index (block, level, coef) of a position
TAIL_START = 21  # (n_blocks + 1,) first column of each block in the tail; blocks of the chain have none
NODE_BORDER = 22  # (n_nodes,) how many of the rows of [Q r], the last ones, a node's panel has
NODE_LIKE = 23  # (n_nodes,) the node whose own k rows of the factor it has, itself or an earlier one
# offsets into floats
WHITEN = 24  # (n_lam,) C⁻¹ of each block, row-major, at BLOCK_LAM: the kernel's factor is C⁻¹Λ
PANELS = 25  # (n_panel,) cross-products
TAIL = 26  # (q_tail + p + 1)² cross-products, full and symmetric
RX = 27  # (p, p) upper triangular, R^{-½}X = Q R_X
GAMMA = 28  # (p,) QᵀR^{-½}y
NODE_WEIGHT = 29  # (n_nodes,) how often log|L|² of a node counts
CONSTANTS = 30  # log|R|, log|det R_X|
HEADER = 31

"""From rows to cross-products, packed as `layout` says: the only pass that sees n."""

from dataclasses import dataclass

import numpy as np

from bayeslmm.kernel import layout as at
from bayeslmm.kernel.blocks import BlockRows, Floats, Ints, elimination_order, whitening
from bayeslmm.kernel.compiled import compiled
from bayeslmm.kernel.panels import Panels, panel_tables
from bayeslmm.kernel.relation import relate_tail


@dataclass(frozen=True, slots=True)
class LeastSquares:
    """The least-squares fit of y on X: X = Q R, y = Q gamma + r.

    Attributes
    ----------
    Q : (n, p) orthonormal; R : (p, p) upper triangular; gamma : (p,); r : (n,) orthogonal to Q.
    """

    Q: Floats
    R: Floats
    gamma: Floats
    r: Floats


def least_squares(y: Floats, X: Floats, root_weights: Floats) -> LeastSquares:
    """Orthonormal basis of X and least-squares residual of y, rows scaled by the square roots of the weights.

    A constant is taken off y first when X spans it: y - y[0] is exact for numbers that share leading
    digits, Q Qᵀy is not.
    """
    Q, R = np.linalg.qr(X * root_weights[:, None])
    ones = Q.T @ root_weights
    spanned = np.linalg.norm(root_weights - Q @ ones) < 1e-10 * np.linalg.norm(root_weights)
    shift = y[0] if spanned else 0.0
    r = (y - shift) * root_weights
    gamma = shift * ones
    for _ in range(2):
        step = Q.T @ r
        gamma, r = gamma + step, r - Q @ step
    return LeastSquares(Q, R, gamma, r)


def pack(y: Floats, X: Floats, blocks: list[BlockRows], weights: Floats | None) -> tuple[Ints, Floats]:
    """Cross-products of Z, Q and r for one problem, packed.

    Parameters
    ----------
    y : (n,) response, offset taken off. X : (n, p), of full column rank. blocks : in public order.
    weights : (n,) or None; the residual variance of row i is σ²/wᵢ.

    Returns
    -------
    ints, floats : see `layout`.
    """
    root = np.ones(len(y)) if weights is None else np.sqrt(weights)
    fit = least_squares(y, X, root)
    chain, tail = elimination_order(blocks)
    ordered = [blocks[b] for b in [*chain, *tail]]
    scaled = [block.columns * root[:, None] for block in ordered]
    white = [whitening(columns) for columns in scaled]
    columns = [_solve_right(z, c) for z, c in zip(scaled, white, strict=True)]
    p1 = X.shape[1] + 1
    panels = panel_tables(ordered[: len(chain)], ordered[len(chain) :], p1)
    values, dense = _accumulate(fit, ordered, columns, panels, len(chain))
    dense = relate_tail(dense, ordered[len(chain) :])
    constants = np.array([-2 * np.sum(np.log(root)), np.sum(np.log(np.abs(np.diag(fit.R))))])
    ints = _pack_ints(blocks, [*chain, *tail], panels, p1, len(values), len(y))
    floats = _pack_floats(ints, white, values, dense, fit, constants)
    return ints, floats


def _solve_right(columns: Floats, white: Floats) -> Floats:
    """Columns times C."""
    return np.ascontiguousarray(np.linalg.solve(white.T, columns.T).T)


def _accumulate(
    fit: LeastSquares, blocks: list[BlockRows], columns: list[Floats], panels: Panels, n_chain: int
) -> tuple[Floats, Floats]:
    ks = np.array([b.k for b in blocks], dtype=np.int64)
    p1 = fit.Q.shape[1] + 1
    q_tail = sum(b.size for b in blocks[n_chain:])
    n = len(fit.r)
    codes = np.stack([b.codes for b in blocks], axis=1) if blocks else np.zeros((n, 0), dtype=np.int64)
    rows = np.hstack([*columns, fit.Q, fit.r[:, None]])
    first_node = np.append(0, np.cumsum([b.n_levels for b in blocks[:n_chain]])).astype(np.int64)
    first_tail = np.append(0, np.cumsum([b.size for b in blocks[n_chain:]])).astype(np.int64)
    values = np.zeros(panels.panel_start[-1])
    dense = np.zeros((q_tail + p1, q_tail + p1))
    _add_rows(rows, codes, ks, panels.slots, panels.panel_start, first_node, first_tail, values, dense)
    dense[q_tail:, q_tail:] = np.eye(p1)
    dense[-1, -1] = fit.r @ fit.r
    return values, np.tril(dense) + np.tril(dense, -1).T


@compiled
def _add_rows(
    rows: Floats,
    codes: Ints,
    ks: Ints,
    slots: Ints,
    panel_start: Ints,
    first_node: Ints,
    first_tail: Ints,
    values: Floats,
    dense: Floats,
) -> None:
    n, n_blocks = codes.shape
    n_chain = slots.shape[1] if n_blocks > 0 else 0
    start = np.zeros(n_blocks + 1, dtype=np.int64)
    for b in range(n_blocks):
        start[b + 1] = start[b] + ks[b]
    first_right = start[n_blocks]
    p1 = rows.shape[1] - first_right
    q_tail = dense.shape[0] - p1
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
                v = slots[i, a, b - n_chain]
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


def _pack_ints(
    blocks: list[BlockRows], order: list[int], panels: Panels, p1: int, n_panel: int, n: int
) -> Ints:
    ks = np.array([blocks[b].k for b in order], dtype=np.int64)
    levels = np.array([blocks[b].n_levels for b in order], dtype=np.int64)
    lam_start = np.append(0, np.cumsum([b.k**2 for b in blocks])).astype(np.int64)
    public_start = np.append(0, np.cumsum([b.size for b in blocks])).astype(np.int64)
    n_chain = len(order) - _n_tail(panels, order)
    size = ks * levels
    public = [public_start[b] + np.arange(blocks[b].size) for b in order]
    tables = {
        at.BLOCK_K: ks,
        at.BLOCK_LAM: lam_start[order] if order else np.zeros(0, dtype=np.int64),
        at.NODE_BLOCK: panels.node_block,
        at.NODE_POSITION: panels.node_position,
        at.PANEL_START: panels.panel_start,
        at.ROW_START: panels.row_start,
        at.ROWS: panels.rows,
        at.ANCESTOR_START: panels.ancestor_start,
        at.ANCESTORS: panels.ancestors,
        at.RELATIVE_START: panels.relative_start,
        at.RELATIVE: panels.relative,
        at.POSITION_BLOCK: np.repeat(np.arange(len(order)), size),
        at.PUBLIC: np.concatenate([np.zeros(0, dtype=np.int64), *public]),
    }
    header = np.zeros(at.HEADER, dtype=np.int64)
    header[at.N_BLOCKS] = len(order)
    header[at.N_NODES] = len(panels.node_block)
    header[at.Q_LEAD] = np.sum(size[:n_chain])
    header[at.Q_TAIL] = np.sum(size[n_chain:])
    header[at.P] = p1 - 1
    header[at.N_LAM] = lam_start[-1]
    header[at.N_PANEL] = n_panel
    header[at.N_ROWS] = n
    offset = at.HEADER
    for entry, table in tables.items():
        header[entry] = offset
        offset += len(table)
    width = int(header[at.Q_TAIL]) + p1
    sizes = {
        at.WHITEN: lam_start[-1],
        at.PANELS: n_panel,
        at.TAIL: width**2,
        at.RX: (p1 - 1) ** 2,
        at.GAMMA: p1 - 1,
    }
    header[list(sizes)] = np.append(0, np.cumsum(list(sizes.values())))[:-1]
    header[at.CONSTANTS] = sum(sizes.values())
    return np.concatenate([header, *tables.values()]).astype(np.int64)


def _n_tail(panels: Panels, order: list[int]) -> int:
    return len(order) - (int(panels.node_block[-1]) + 1 if len(panels.node_block) else 0)


def _pack_floats(
    ints: Ints, white: list[Floats], values: Floats, dense: Floats, fit: LeastSquares, constants: Floats
) -> Floats:
    floats = np.zeros(ints[at.CONSTANTS] + len(constants))
    lam_start = ints[ints[at.BLOCK_LAM] : ints[at.BLOCK_LAM] + ints[at.N_BLOCKS]]
    for start, c in zip(lam_start, white, strict=True):
        floats[start : start + c.size] = c.ravel()
    for entry, table in ((at.PANELS, values), (at.TAIL, dense), (at.RX, fit.R), (at.GAMMA, fit.gamma)):
        floats[ints[entry] : ints[entry] + table.size] = table.ravel()
    floats[ints[at.CONSTANTS] :] = constants
    return floats

"""The same pieces where R has parameters: from the dense V of rows that anything joins, by themselves.

With V in units of σ², V_i its derivatives by the elements of T, by φ and by σ² (V itself), and W = V⁻¹[Q e],

    P_i = −WᵀV_iW,   Q_ij = WᵀV_iV⁻¹V_jW,   K_ij = tr(V⁻¹V_iV⁻¹V_j).

First derivatives only: what Kenward & Roger's correction owes to the curvature in φ is left out, as SAS
does by
`ddfm=kr(firstorder)`; of an unstructured correlation with a variance a visit there is none.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from bayeslmm.errors import OptionError
from bayeslmm.likelihood.fitted import Fitted
from bayeslmm.likelihood.inference.information import Direction, Information, directions
from bayeslmm.spec.design import Design
from bayeslmm.spec.units import Units

type Array = NDArray[np.float64]
type Codes = NDArray[np.int64]

LARGEST = 2000  # rows that are joined; their dense matrices take 32 MB each


def joined_information(fit: Fitted) -> Information:
    """The information of T, φ and, where it is estimated, σ².

    Raises
    ------
    OptionError
        When more rows are joined than dense matrices can hold.
    """
    design, units = fit.design, Units.at(fit.design.covariance, fit.theta_values)
    along = directions(design.covariance, fit.theta_values, units)
    r = len(along) + design.residual.n_phi + design.residual.sigma_free
    right = np.column_stack([design.X @ np.linalg.inv(design.kernel.R_X), _left_over(fit)])
    width = right.shape[1]
    P, Q, K = np.zeros((r, width, width)), np.zeros((r, r, width, width)), np.zeros((r, r))
    for rows in joined_rows(design):
        moves = _moves(fit, units, along, rows)
        V = _covariance(fit, rows)
        if design.residual.sigma_free:
            moves = np.concatenate([moves, V[None]])
        inverse = np.linalg.inv(np.linalg.cholesky(V))
        white = inverse @ moves @ inverse.T
        seen = inverse @ right[rows]
        turned = white @ seen
        P -= seen.T @ turned
        Q += np.einsum("iab,jac->ijbc", turned, turned, optimize=True)
        flat = white.reshape(r, -1)
        K += flat @ flat.T
    return Information(P, Q, K)


def _left_over(fit: Fitted) -> Array:
    """(n,) y − offset − Xβ̂."""
    return np.asarray(fit.design.y - fit.design.offset - fit.design.X @ fit.beta_values)


def joined_rows(design: Design) -> Iterator[Codes]:
    """Rows that residual groups or levels join, directly or through others."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    joins = [block.codes for block in design.blocks]
    if design.residual.groups is not None:
        joins.append(np.unique(design.residual.groups, return_inverse=True)[1])
    first = np.cumsum([design.n, *(codes.max() + 1 for codes in joins)])
    rows, ends = (
        np.tile(np.arange(design.n), len(joins)),
        np.concatenate(
            [
                np.zeros(0, dtype=np.int64),
                *(codes + start for codes, start in zip(joins, first, strict=False)),
            ]
        ),
    )
    graph = coo_array((np.ones(len(rows)), (rows, ends)), shape=(first[-1], first[-1]))
    own = connected_components(graph, directed=False)[1][: design.n]
    if np.bincount(own).max() > LARGEST:
        raise OptionError(
            f"Kenward-Roger needs the dense covariance of rows that are joined, here "
            f"{np.bincount(own).max()} of them; "
            "use ddf='satterthwaite'"
        )
    order = np.argsort(own, kind="stable")
    yield from np.split(order, np.flatnonzero(np.diff(own[order])) + 1)


def _moves(fit: Fitted, units: Units, along: tuple[Direction, ...], rows: Codes) -> Array:
    """(r, m, m) derivatives of V by T and φ at some rows."""
    design = fit.design
    by_T = []
    for each in along:
        block, S = design.blocks[each.block], units.roots[each.block]
        columns = block.columns[rows] @ S
        between = _between(design, each.block, rows)
        by_T.append(columns @ each.E @ columns.T * between)
    i, j = np.indices((len(rows), len(rows))).reshape(2, -1)
    by_phi = design.residual.elements(rows[i], rows[j])[1].reshape(-1, len(rows), len(rows))
    return np.concatenate([np.array(by_T).reshape(-1, len(rows), len(rows)), by_phi])


def _covariance(fit: Fitted, rows: Codes) -> Array:
    """V (m, m) of some rows."""
    i, j = np.indices((len(rows), len(rows))).reshape(2, -1)
    V = fit.design.residual.elements(rows[i], rows[j])[0].reshape(len(rows), len(rows))
    factors = fit.design.covariance.factors(fit.theta_values)
    for number, (block, factor) in enumerate(zip(fit.design.blocks, factors, strict=True)):
        effects = block.columns[rows] @ factor
        V = V + effects @ effects.T * _between(fit.design, number, rows)
    return np.asarray(V, dtype=np.float64)


def _between(design: Design, number: int, rows: Codes) -> Array:
    """(m, m) covariance over T of the levels that some rows have of a block."""
    block = design.blocks[number]
    levels = block.codes[rows]
    if block.known is None:
        return np.asarray(levels[:, None] == levels, dtype=np.float64)
    K = block.known @ block.known.T
    return np.asarray(K[np.ix_(levels, levels)])

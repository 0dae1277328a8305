"""Is one residual inside another? Asked of R itself, at some rows, whatever structures it is made of."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from bayeslmm.likelihood.inference.information import elements
from bayeslmm.spec.design import Design
from bayeslmm.spec.residual import Residual

type Array = NDArray[np.float64]
type Codes = NDArray[np.int64]

ROWS = 40  # looked at, group by group
APART = 3e-3  # of R's size, from which on it is another one; limits that φ goes to without end are nearer
GROUPS = 0  # seed of the groups looked at


def residual_spans(big: Design, small: Design) -> bool:
    """Is R of the small model, at φ of no particular form, σ²R + ZTZᵀ of the big one at some φ?

    By least squares in φ, the coefficients of R and of each variance and covariance of effects at their best.
    They may have any sign, so it is necessary, not sufficient.
    """
    own, others = small.residual, big.residual
    if not (own.n_phi or others.n_phi) or own.of_fitted or others.of_fitted or not big.in_memory:
        return True
    i, j = _pairs(others if own.groups is None else own)
    beside = np.column_stack([np.zeros((len(i), 0)), *_of_effects(big, i, j)])
    return all(_reached(others, i, j, own.elements(i, j, phi)[0], beside) for phi in _points(own))


def _points(residual: Residual) -> list[Array]:
    """φ of no particular form; the only one where there are none."""
    if not residual.n_phi:
        return [np.zeros(0)]
    steps = np.sin(1 + np.arange(residual.n_phi))
    return [residual.start + 0.3 + 0.2 * steps, residual.start - 0.2 - 0.2 * steps]


def _pairs(residual: Residual) -> tuple[Codes, Codes]:
    """All pairs of some rows, whole groups as far as they go."""
    groups = np.arange(residual.n) if residual.groups is None else residual.groups
    place = np.random.default_rng(GROUPS).permutation(int(groups.max()) + 1)
    rows = np.argsort(place[groups], kind="stable")[:ROWS]
    i, j = np.triu_indices(len(rows))
    return rows[i], rows[j]


def _of_effects(design: Design, i: Codes, j: Codes) -> Iterator[Array]:
    """ZEZᵀ at pairs of rows, for each variance and covariance of effects that are independent by level."""
    for slot in design.covariance.slots:
        block = design.blocks[slot.block]
        if block.known is None:
            same, own = block.codes[i] == block.codes[j], block.columns[:, slot.coefs]
            for E in elements(slot.structure):
                yield same * np.einsum("ma,ab,mb->m", own[i], E, own[j])


def _reached(residual: Residual, i: Codes, j: Codes, values: Array, beside: Array) -> bool:
    """Is there a φ from which these values (m,) are a combination of R there and columns (m, c) beside it?"""
    from scipy.optimize import least_squares

    wanted = values / np.linalg.norm(values)

    def left(phi: Array) -> Array:
        columns = np.column_stack([residual.elements(i, j, phi)[0], beside])
        return _beyond(columns, wanted) if np.isfinite(columns).all() else np.full(len(values), 1e3)

    def slopes(phi: Array) -> Array:  # of what is left, coefficients held (Kaufman 1975)
        own, by_phi = residual.elements(i, j, phi)
        columns = np.column_stack([own, beside])
        times: float = np.linalg.lstsq(columns, wanted)[0][0]
        return -times * _beyond(columns, by_phi.T)

    if not residual.n_phi:
        return bool(np.linalg.norm(left(np.zeros(0))) < APART)
    starts = residual.starts if residual.settled is None else [residual.settled, *residual.starts]
    with np.errstate(all="ignore"):
        return any(np.linalg.norm(least_squares(left, start, slopes).fun) < APART for start in starts)


def _beyond(columns: Array, values: Array) -> Array:
    """What columns (m, c) leave of values (m, ...)."""
    left: Array = values - columns @ np.linalg.lstsq(columns, values)[0]
    return left

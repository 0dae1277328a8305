"""What is left of (log|V₀|, A) and of the criterion's slope when units of rows are left out, from one factor.

With rows whitened let N = (V₀⁻¹)_jj and F = (V₀⁻¹[Q r])_j for the rows of unit j, K = (V₀⁻¹Z)_j and
H = ZᵀV₀⁻¹[Q r]. The other rows alone have A_-j = A − FᵀN⁻¹F, log|V₀,-j| = log|V₀| + log|N| and
H_-j = H − KᵀN⁻¹F (block inverse). In T, dA_-j = −Σ_l H_-j,lᵀ dT H_-j,l and
d log|V₀,-j| = Σ_l tr[(ZᵀV₀⁻¹Z − KᵀN⁻¹K)_ll dT], sums over the levels of a block.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bayeslmm.likelihood.diagnostics.reach import Reach, Seen, reach_of, seen_by_levels
from bayeslmm.likelihood.digits import left_over
from bayeslmm.likelihood.fitted import Fitted
from bayeslmm.spec.row_sets import Batch, RowSets

type Array = NDArray[np.float64]

LOST = 1e-9  # share of a direction of X that is left, below which the others don't tell it


@dataclass(frozen=True, slots=True, eq=False)
class Deletion:
    """The fit without each of J units, at the fit's own θ.

    Attributes
    ----------
    units : what is left out. n : (J,) numbers of rows left.
    A : (J, p + 1, p + 1). delta : (J, p) δ̂. r2 : (J,). inverse : (J, p, p) A_QQ⁻¹. NaN where the columns of X
        depend on each other without the unit.
    by_T : (J, k, k) of each block, the derivative of the criterion by T.
    """

    units: RowSets
    n: NDArray[np.int64]
    A: Array
    delta: Array
    r2: Array
    inverse: Array
    by_T: list[Array]


@dataclass(frozen=True, slots=True, eq=False)
class _Taken:
    """What the units of a batch take away: C = N^{-½} (m, s, s), and C F (m, s, p + 1)."""

    C: Array
    CF: Array


def delete(fit: Fitted, units: RowSets) -> Deletion:
    """The fit without each unit, θ held."""
    design, batches = fit.design, list(units.batches())
    right = np.column_stack([design.orthonormal_columns, _residual(fit)])
    E = left_over(design, right, fit.conditional)
    reach = reach_of(design, fit.conditional, units)
    taken = [
        _taken(S, E[batch.rows]) for S, batch in zip(_covariances(reach, batches, fit), batches, strict=True)
    ]
    A = np.tile(fit.conditional.A, (len(units), 1, 1))
    for batch, own in zip(batches, taken, strict=True):
        A[batch.units] -= own.CF.transpose(0, 2, 1) @ own.CF
    n = design.n - units.sizes
    delta, r2, inverse = _solved(A, fit.conditional.A)
    A_bar = _slope(fit, delta, r2, inverse, n)
    by_T = _by_T(fit, reach, batches, taken, seen_by_levels(design, E), A_bar)
    return Deletion(units, n, A, delta, r2, inverse, by_T)


def _residual(fit: Fitted) -> Array:
    """r (n,), the least-squares residual of whitened rows."""
    design = fit.design
    y = design.residual.whiten(design.y - design.offset)
    return np.asarray(y - design.orthonormal_columns @ design.kernel.gamma_ls)


def _covariances(reach: Reach, batches: Sequence[Batch], fit: Fitted) -> list[Array]:
    if not fit.design.blocks:
        return [np.zeros((*batch.rows.shape, batch.rows.shape[1])) for batch in batches]
    return reach.covariances(batches)


def _taken(ZSZ: Array, F: Array) -> _Taken:
    C = np.linalg.inv(np.linalg.cholesky(np.eye(ZSZ.shape[1]) - ZSZ))
    return _Taken(C, C @ F)


def _solved(A: Array, whole: Array) -> tuple[Array, Array, Array]:
    """δ̂ (J, p), r² (J,) and A_QQ⁻¹ (J, p, p)."""
    p = A.shape[1] - 1
    root = np.linalg.inv(np.linalg.cholesky(whole[:p, :p]))
    left = np.linalg.eigvalsh(root @ A[:, :p, :p] @ root.T).min(axis=1, initial=np.inf)
    safe = np.where((left > LOST)[:, None, None], A, np.nan)
    known = np.where((left > LOST)[:, None, None], A[:, :p, :p], np.eye(p))
    inverse = np.where((left > LOST)[:, None, None], np.linalg.inv(known), np.nan)
    delta = np.einsum("jab,jb->ja", inverse, safe[:, :p, p])
    return delta, safe[:, p, p] - np.einsum("ja,ja->j", safe[:, p, :p], delta), inverse


def _slope(fit: Fitted, delta: Array, r2: Array, inverse: Array, n: NDArray[np.int64]) -> Array:
    """d criterion / dA, (J, p + 1, p + 1)."""
    p, known = fit.design.p, fit.design.residual.sigma
    scale = (n - p * fit.reml) / r2 if known is None else np.full(len(r2), known**-2.0)
    a = np.column_stack([-delta, np.ones(len(delta))])
    A_bar = np.asarray(scale[:, None, None] * a[:, :, None] * a[:, None, :])
    if fit.reml:
        A_bar[:, :p, :p] += inverse
    return A_bar


def _by_T(
    fit: Fitted, reach: Reach, batches: list[Batch], taken: list[_Taken], H: list[Array], A_bar: Array
) -> list[Array]:
    """d criterion / dT, (J, k, k) a block."""
    if not fit.design.blocks:
        return []
    products = [np.einsum("lac,lbd->abcd", each, each) for each in H]
    out = [
        own - np.einsum("abcd,jcd->jab", product, A_bar, optimize=True)
        for own, product in zip(reach.own_products(), products, strict=True)
    ]
    for by_T, seen in zip(out, reach.seen(batches, H), strict=True):
        for batch, own, gone in zip(batches, seen, taken, strict=True):
            by_T[batch.units] -= _moved(own, gone, A_bar[batch.units])
    return out


def _moved(seen: Seen, taken: _Taken, A_bar: Array) -> Array:
    """KᵀN⁻¹K + H_-j A_bar H_-jᵀ − H A_bar Hᵀ, (m, k, k) summed over levels."""
    C, g = taken.C, taken.C.transpose(0, 2, 1) @ taken.CF  # N⁻¹F, (m, s, c)
    gA = g @ A_bar
    trace = np.einsum("mus,mabst,mut->mab", C, seen.KK, C, optimize=True)
    once = np.einsum("msc,mbasc->mab", gA, seen.KH)
    twice = np.einsum("msc,mabst,mtc->mab", gA, seen.KK, g, optimize=True)
    return np.asarray(trace - once - once.transpose(0, 2, 1) + twice)

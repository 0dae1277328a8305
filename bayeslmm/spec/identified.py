"""Can a term's covariance be told from the residual's? By its structure, not by counting its effects."""

import numpy as np
from numpy.typing import NDArray

from .covariance import CovarianceStructure, lower_factor
from .design import Block

type Array = NDArray[np.float64]

CONFOUNDED = 1e-9  # of |R|², what is left of R by the term's own directions where nothing is


def confounded(structure: CovarianceStructure, block: Block, coefs: slice, variances: Array) -> bool:
    """Is the residual's covariance R a change that the term's own could make?

    V = Σ_j Z_jTZ_jᵀ + σ²R moves along Z_jD_iZ_jᵀ, D_i the derivatives of T at a covariance of no particular
    form; R lies in their span where |R|² equals its squared projection, by tr(Z D_i Zᵀ Z D_l Zᵀ) and
    tr(Z D_i Zᵀ R).

    Parameters
    ----------
    coefs : of the block, the term's. variances : (n,) diagonal of R.
    """
    D, columns = _directions(structure), block.columns[:, coefs]
    moved = np.einsum("jab,ibc->ijac", _grams(block, columns), D)
    products = np.einsum("ijab,ljba->il", moved, moved)
    share = np.einsum("ab,iab->i", columns.T @ (variances[:, None] * columns), D)
    left = variances @ variances - share @ np.linalg.lstsq(products, share, rcond=1e-12)[0]
    return bool(left <= CONFOUNDED * (variances @ variances))


def constant_within(y: Array, block: Block) -> bool:
    """Is y (n,) the same in all rows of a level, of a block with an intercept and levels of several rows?"""
    some = np.empty(block.n_levels)
    some[block.codes] = y
    if (some[block.codes] != y).any() or np.bincount(block.codes).max() < 2:
        return False
    return bool((block.columns == block.columns[0]).all(axis=0).any())


def _grams(block: Block, columns: Array) -> Array:
    """Σ z zᵀ over the rows of each level, (J, k, k)."""
    out = np.zeros((block.n_levels, columns.shape[1], columns.shape[1]))
    np.add.at(out, block.codes, columns[:, :, None] * columns[:, None, :])
    return out


def _directions(structure: CovarianceStructure) -> Array:
    """Derivatives (r, k, k) of T by θ, where sds differ and no correlation is 0."""
    k = structure.k
    sd = 1 + np.arange(k) / k
    near = np.exp(-np.abs(np.subtract.outer(np.arange(k), np.arange(k))))
    theta = structure.parameters(lower_factor(sd[:, None] * np.linalg.cholesky(near)))
    half = structure.derivative(theta) @ structure.factor(theta).T
    return np.asarray(half + half.transpose(0, 2, 1))

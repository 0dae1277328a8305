"""How V moves with the covariance T of a block: along Σ_j Z_jDZ_jᵀ, D a change that its bars can make of T.

Columns are taken in the units of their Gram, and changes made orthonormal, so that it doesn't matter in which
unit, and from which origin, they count.
"""

from collections.abc import Iterator
from itertools import combinations_with_replacement
from typing import NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from .covariance import CovarianceStructure, lower_factor
from .covariance.algebra import of_unit_size
from .design import Design

type Array = NDArray[np.float64]

NOTHING = 1e-13  # of the largest eigenvalue of a Gram, what rounding leaves of 0


class Units(NamedTuple):
    """Those of a block's columns (n, k).

    Attributes
    ----------
    sizes : (k,) their root mean squares. to, back : (k, k) W⁻¹ and W, columns·W orthogonal, of length 1 or 0.
    """

    sizes: Array
    to: Array
    back: Array

    @classmethod
    def of(cls, gram: Array) -> Self:
        """By the mean of zzᵀ over rows, (k, k)."""
        sizes = np.sqrt(np.diag(gram))
        values, vectors = np.linalg.eigh(gram / np.outer(sizes, sizes))
        lengths = np.sqrt(np.where(values > NOTHING * values[-1], values, 1.0))
        return cls(sizes, lengths[:, None] * (vectors.T * sizes), vectors / lengths / sizes[:, None])


def changes(design: Design, number: int, units: Units) -> Array:
    """A basis (r, k, k) of the changes of a block's T, in other units."""
    moved = units.to @ np.concatenate(list(_by_bar(design, number))) @ units.to.T
    basis = np.linalg.qr(of_unit_size(moved).reshape(len(moved), -1).T)[0]
    return np.asarray(basis.T.reshape(-1, *moved.shape[1:]))


def _by_bar(design: Design, number: int) -> Iterator[Array]:
    """Changes (r, k, k) of a block's T, bar by bar."""
    k = design.blocks[number].k
    for slot in design.covariance.slots_of(number):
        own = _directions(slot.structure)
        out = np.zeros((len(own), k, k))
        out[:, slot.coefs, slot.coefs] = own
        yield out


def products(grams: Array, D: Array) -> Array:
    """Σ_j tr(G_jD_iG_jD_l), (r, r)."""
    J, k, _ = grams.shape
    flat = grams.reshape(J, k * k)
    together = (flat.T @ flat).reshape(k, k, k, k)
    return np.asarray(np.einsum("abcd,ibc,lda->il", together, D, D, optimize=True))


def level_grams(codes: NDArray[np.int64], columns: Array, n_levels: int) -> Array:
    """Σ z zᵀ over the rows of each level, (J, k, k)."""
    k = columns.shape[1]
    out = np.empty((n_levels, k, k))
    for a, b in combinations_with_replacement(range(k), 2):
        out[:, a, b] = out[:, b, a] = np.bincount(codes, columns[:, a] * columns[:, b], n_levels)
    return out


def _directions(structure: CovarianceStructure) -> Array:
    """Derivatives (r, k, k) of T by θ, where sds differ and no correlation is 0."""
    k = structure.k
    sd = 1 + np.arange(k) / k
    near = np.exp(-np.abs(np.subtract.outer(np.arange(k), np.arange(k))))
    theta = structure.parameters(lower_factor(sd[:, None] * np.linalg.cholesky(near)))
    half = structure.derivative(theta) @ structure.factor(theta).T
    return np.asarray(half + half.transpose(0, 2, 1))

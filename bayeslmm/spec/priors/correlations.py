"""The density of a group's correlations."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bayeslmm.spec.covariance import CovarianceStructure

from .lkj import LKJ

type Array = NDArray[np.float64]


def log_correlations(structures: Sequence[CovarianceStructure], prior: LKJ, cor: ArrayLike) -> Array:
    """Log density of a group's free correlations (..., n_pairs), its bars being independent."""
    given = np.asarray(cor, dtype=float)
    total, used = np.zeros(given.shape[:-1]), 0
    for structure in structures:
        own = given[..., used : used + len(structure.pairs)]
        used += len(structure.pairs)
        if structure.cor_range is not None:
            total = total + prior.logpdf_one(own[..., 0], *structure.cor_range)
        elif structure.pairs:
            total = total + prior.logpdf(_matrix(structure, own))
    return total


def _matrix(structure: CovarianceStructure, cor: Array) -> Array:
    """Correlation matrices (..., k, k) of free correlations."""
    R = np.broadcast_to(np.eye(structure.k), (*cor.shape[:-1], structure.k, structure.k)).copy()
    for place, (i, j) in enumerate(structure.pairs):
        R[..., i, j] = R[..., j, i] = cor[..., place]
    return R

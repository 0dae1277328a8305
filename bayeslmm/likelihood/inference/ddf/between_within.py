"""Degrees of freedom between and within residual groups."""

from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from bayeslmm.likelihood.inference.ddf.base import DDF
from bayeslmm.spec.design import Design

type Array = NDArray[np.float64]

ALIKE = 1e-9  # of a column's size, what it varies within groups where it doesn't


class BetweenWithin(DDF):
    """Residual groups less the rank of what is constant in them, for all coefficients.

    What SAS's `ddfm=bw` does for subjects whose visits have an unstructured covariance: n − p would take
    their rows for independent. Where the residual joins none, levels of the largest factor count, or rows.
    """

    keyword: ClassVar[str] = "between-within"
    name: ClassVar[str] = "between-within"

    def df(self, L: Array) -> Array:
        """The same for every row."""
        codes = _codes(self.fit.design)
        return np.full(len(L), codes.max() + 1 - between_rank(self.fit.design.X, codes))


def _codes(design: Design) -> NDArray[np.int64]:
    """(n,) of each row's group."""
    if design.residual.groups is not None:
        return np.unique(design.residual.groups, return_inverse=True)[1]
    most = max(design.blocks, key=lambda block: block.n_levels, default=None)
    return np.arange(design.n) if most is None else np.unique(most.codes, return_inverse=True)[1]


def between_rank(X: Array, codes: NDArray[np.int64]) -> int:
    """The rank of the columns of X (n, p) that are constant in each group."""
    sizes = np.bincount(codes)
    means = np.array([np.bincount(codes, column) / sizes for column in X.T]).reshape(-1, len(sizes)).T
    spread = np.max(np.abs(X - means[codes]), axis=0)
    constant = spread <= ALIKE * np.max(np.abs(X), axis=0)
    return int(np.linalg.matrix_rank(means[:, constant]))

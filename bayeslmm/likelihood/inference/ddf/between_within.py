"""Degrees of freedom between and within residual groups."""

from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from bayeslmm.errors import OptionError
from bayeslmm.likelihood.inference.ddf.base import DDF

type Array = NDArray[np.float64]

ALIKE = 1e-9  # of a column's size, what it varies within groups where it doesn't


class BetweenWithin(DDF):
    """Residual groups less the rank of what is constant in them, for all coefficients.

    What SAS's `ddfm=bw` does for subjects whose visits have an unstructured covariance: n − p degrees of
    freedom
    would take their rows for independent.
    """

    keyword: ClassVar[str] = "between-within"
    name: ClassVar[str] = "between-within"

    def df(self, L: Array) -> Array:
        """The same for every row.

        Raises
        ------
        OptionError
            Where the residual joins no rows.
        """
        groups = self.fit.design.residual.groups
        if groups is None:
            raise OptionError(
                "between-within degrees of freedom count the groups of a residual correlation, and "
                "this model has "
                "none; use ddf='satterthwaite'"
            )
        _, codes = np.unique(groups, return_inverse=True)
        return np.full(len(L), codes.max() + 1 - between_rank(self.fit.design.X, codes))


def between_rank(X: Array, codes: NDArray[np.int64]) -> int:
    """The rank of the columns of X (n, p) that are constant in each group."""
    sizes = np.bincount(codes)
    means = np.column_stack([np.bincount(codes, column) / sizes for column in X.T])
    spread = np.max(np.abs(X - means[codes]), axis=0)
    constant = spread <= ALIKE * np.max(np.abs(X), axis=0)
    return int(np.linalg.matrix_rank(means[:, constant]))

"""Correlations of a bar in free coordinates, and the factor they make.

Every function here is plain arithmetic on scalars. The scalars are PyTensor expressions when a graph is built
and arrays of draws when coordinates are evaluated, so the algebra is written once. (Unrolled, a graph with
a 2 x 2 factor compiles in a third of the time that matrix operations need.)
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .algebra import correlation_factor

type Array = NDArray[np.float64]
type Scalar = Any  # a float, an array of draws or a PyTensor scalar
type Entries = dict[tuple[int, int], Scalar]  # the elements of a lower triangle that aren't always 0


@dataclass(frozen=True)
class Correlation(ABC):
    """Correlations of the k coefs of a bar, given by `n_free` numbers in (-1, 1) that may take any value."""

    k: int

    @property
    @abstractmethod
    def n_free(self) -> int:
        """Number of free coordinates."""

    @abstractmethod
    def shapes(self, eta: float) -> tuple[float, ...]:
        """The shape a of each coordinate z under LKJ(eta): (z + 1)/2 ~ Beta(a, a), independently."""

    @abstractmethod
    def factor(self, z: Sequence[Scalar]) -> Entries:
        """The Cholesky factor of the correlation matrix."""

    @abstractmethod
    def pairs(self, z: Sequence[Scalar]) -> list[Scalar]:
        """The correlations, in the order of the structure's pairs."""

    @abstractmethod
    def free(self, cor: ArrayLike) -> Array:
        """The coordinates (n_free,) of correlations (n_pairs,): the inverse of `pairs`."""


@dataclass(frozen=True)
class Independent(Correlation):
    """No correlation."""

    @property
    def n_free(self) -> int:
        return 0

    def shapes(self, eta: float) -> tuple[float, ...]:
        return ()

    def factor(self, z: Sequence[Scalar]) -> Entries:
        return {(i, i): 1.0 for i in range(self.k)}

    def pairs(self, z: Sequence[Scalar]) -> list[Scalar]:
        return []

    def free(self, cor: ArrayLike) -> Array:
        return np.zeros(0)


@dataclass(frozen=True)
class Vine(Correlation):
    """Any correlation matrix, by the partial correlations of a C-vine (Lewandowski, Kurowicka and Joe 2009).

    z_ij is the correlation of coefs i < j given coefs 0 .. i-1. Under LKJ(eta) they are independent and
    (z_ij + 1)/2 ~ Beta(a, a) with a = eta + (k - 2 - i)/2. For k = 2 the one z is the correlation itself.
    """

    @property
    def _index(self) -> list[tuple[int, int]]:
        return [(i, j) for i in range(self.k) for j in range(i + 1, self.k)]

    @property
    def n_free(self) -> int:
        return self.k * (self.k - 1) // 2

    def shapes(self, eta: float) -> tuple[float, ...]:
        return tuple(eta + (self.k - 2 - i) / 2 for i, _ in self._index)

    def factor(self, z: Sequence[Scalar]) -> Entries:
        partial = dict(zip(self._index, z, strict=True))
        out: Entries = {}
        for row in range(self.k):
            rest: Scalar = 1.0
            for column in range(row):
                out[row, column] = partial[column, row] * rest**0.5
                rest = rest * (1 - partial[column, row] ** 2)
            out[row, row] = rest**0.5
        return out

    def pairs(self, z: Sequence[Scalar]) -> list[Scalar]:
        L = self.factor(z)
        return [L[j, 0] if i == 0 else sum(L[i, m] * L[j, m] for m in range(i + 1)) for i, j in self._index]

    def free(self, cor: ArrayLike) -> Array:
        R = np.eye(self.k)
        rows, columns = np.triu_indices(self.k, 1)
        R[columns, rows] = np.nan_to_num(np.asarray(cor, dtype=float))
        L = correlation_factor(R)
        left = np.sqrt(np.clip(1 - np.cumsum(L**2, axis=1) + L**2, 1e-300, None))
        return np.array([np.clip(L[j, i] / left[j, i], -1.0, 1.0) for i, j in self._index])

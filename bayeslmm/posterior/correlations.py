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

from bayeslmm.errors import OptionError
from bayeslmm.spec.covariance import (
    Autoregression,
    CompoundSymmetry,
    CovarianceStructure,
    Diagonal,
    HeterogeneousAutoregression,
    HomogeneousCompoundSymmetry,
    ScaledIdentity,
    Unstructured,
    correlation_factor,
)
from bayeslmm.spec.design import Block

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


@dataclass(frozen=True)
class OneCorrelation(Correlation, ABC):
    """Correlations that follow from one, ρ, which z carries linearly to its range (`low`, 1)."""

    @property
    @abstractmethod
    def low(self) -> float:
        """The least ρ."""

    @abstractmethod
    def factor_of(self, rho: Scalar) -> Entries:
        """The Cholesky factor at ρ, for k ≥ 2."""

    @property
    def n_free(self) -> int:
        return int(self.k > 1)

    def shapes(self, eta: float) -> tuple[float, ...]:
        return (eta,) * self.n_free

    def factor(self, z: Sequence[Scalar]) -> Entries:
        return self.factor_of(self.pairs(z)[0]) if self.n_free else {(0, 0): 1.0}

    def pairs(self, z: Sequence[Scalar]) -> list[Scalar]:
        return [self.low + (1 - self.low) * (value + 1) / 2 for value in z]

    def free(self, cor: ArrayLike) -> Array:
        rho = np.nan_to_num(np.asarray(cor, dtype=float))
        return np.asarray(np.clip(2 * (rho - self.low) / (1 - self.low) - 1, -1.0, 1.0) if len(rho) else rho)


@dataclass(frozen=True)
class Exchangeable(OneCorrelation):
    """All correlations are ρ, from −1/(k−1) to 1.

    Given the first j coefs the others have variance (1−ρ)(1+jρ)/(1+(j−1)ρ) and covariance ρ(1−ρ)/(1+(j−1)ρ).
    """

    @property
    def low(self) -> float:
        return -1 / (self.k - 1)

    def factor_of(self, rho: Scalar) -> Entries:
        out: Entries = {(0, 0): 1.0} | {(i, 0): rho for i in range(1, self.k)}
        for j in range(1, self.k):
            before, here = 1 + (j - 1) * rho, 1 + j * rho
            out[j, j] = ((1 - rho) * here / before) ** 0.5
            for i in range(j + 1, self.k):
                out[i, j] = rho * ((1 - rho) / (before * here)) ** 0.5
        return out


@dataclass(frozen=True)
class Lagged(OneCorrelation):
    """Correlations ρ^|i−j| over the coefs' order, −1 ≤ ρ ≤ 1."""

    @property
    def low(self) -> float:
        return -1.0

    def factor_of(self, rho: Scalar) -> Entries:
        new = (1 - rho**2) ** 0.5
        return {
            (i, j): (rho ** (i - j) if i > j else 1.0) * (new if j else 1.0)
            for i in range(self.k)
            for j in range(i + 1)
        }


_CORRELATIONS: dict[type[CovarianceStructure], type[Correlation]] = {
    Unstructured: Vine,
    Diagonal: Independent,
    ScaledIdentity: Independent,
    CompoundSymmetry: Exchangeable,
    HomogeneousCompoundSymmetry: Exchangeable,
    Autoregression: Lagged,
    HeterogeneousAutoregression: Lagged,
}


def correlation(structure: CovarianceStructure) -> Correlation:
    """The correlation of a covariance structure.

    Raises
    ------
    OptionError
        When no graph is known for the structure.
    """
    found = _CORRELATIONS.get(type(structure))
    if found is None:
        raise OptionError(f"covariance structure {structure.keyword!r} has no PyMC graph yet; fit it by REML")
    return found(structure.k)


@dataclass(frozen=True)
class BlockCorrelation:
    """The direct sum of a block's bars.

    Attributes
    ----------
    bars : correlation of each bar. sd_of_coef : (k,) which of the free standard deviations each coef has.
    """

    bars: tuple[Correlation, ...]
    sd_of_coef: tuple[int, ...]

    @classmethod
    def of(cls, block: Block) -> "BlockCorrelation":
        """The correlations of a block's bars."""
        owner: list[int] = []
        for structure in block.structures:
            first = owner[-1] + 1 if owner else 0
            owner += [first + i for i in structure.sd_of_coef]
        return cls(tuple(correlation(structure) for structure in block.structures), tuple(owner))

    @property
    def n_sd(self) -> int:
        """Number of free standard deviations."""
        return self.sd_of_coef[-1] + 1

    @property
    def n_free(self) -> int:
        return sum(bar.n_free for bar in self.bars)

    def shapes(self, eta: float) -> Array:
        """Beta shapes (n_free,) under LKJ(eta) of each bar."""
        return np.array([shape for bar in self.bars for shape in bar.shapes(eta)])

    def factor(self, sd: Sequence[Scalar], z: Sequence[Scalar]) -> Entries:
        """Factor of the absolute covariance diag(sd) R diag(sd), from the free standard deviations."""
        out: Entries = {}
        for bar, first, part in self._parts(z):
            for (i, j), value in bar.factor(part).items():
                out[first + i, first + j] = sd[self.sd_of_coef[first + i]] * value
        return out

    def pairs(self, z: Sequence[Scalar]) -> list[Scalar]:
        """The correlations, bar after bar."""
        return [value for bar, _, part in self._parts(z) for value in bar.pairs(part)]

    def free(self, cor: ArrayLike) -> Array:
        """The coordinates (n_free,) of correlations (n_pairs,)."""
        values, out, used = np.asarray(cor, dtype=float), [np.zeros(0)], 0
        for bar in self.bars:
            n = len(bar.pairs([0.0] * bar.n_free))
            out.append(bar.free(values[used : used + n]))
            used += n
        return np.concatenate(out)

    def _parts(self, z: Sequence[Scalar]) -> list[tuple[Correlation, int, Sequence[Scalar]]]:
        """Each bar with its first coef and its own coordinates."""
        out, first, used = [], 0, 0
        for bar in self.bars:
            out.append((bar, first, z[used : used + bar.n_free]))
            first, used = first + bar.k, used + bar.n_free
        return out

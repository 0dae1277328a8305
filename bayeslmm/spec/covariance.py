"""Covariance structures of a term: how its parameters fill the relative factor Λ, with T = ΛΛᵀ.

A structure is found by its keyword (`us(x | g)`), so a new one is available by existing.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bayeslmm.errors import OptionError

type Array = NDArray[np.float64]


@dataclass(frozen=True)
class CovarianceStructure(ABC):
    """Covariance of the `k` coefs of one bar.

    Attributes
    ----------
    k : int
        Number of coefs.
    """

    keyword: ClassVar[str]
    linear: ClassVar[bool]  # is Λ linear in θ?

    k: int

    @property
    @abstractmethod
    def n_params(self) -> int:
        """Number of elements of θ."""

    @property
    @abstractmethod
    def lower(self) -> Array:
        """Lower bounds of θ, shape (n_params,): 0 on the diagonal of Λ, -inf elsewhere."""

    @abstractmethod
    def factor(self, theta: ArrayLike) -> Array:
        """The lower-triangular relative factor Λ, shape (k, k)."""

    @abstractmethod
    def derivative(self, theta: ArrayLike) -> Array:
        """dΛ/dθ, shape (n_params, k, k)."""

    @abstractmethod
    def parameters(self, factor: ArrayLike) -> Array:
        """θ of a factor (k, k): the inverse of `factor`."""

    @abstractmethod
    def start(self, gram: ArrayLike) -> Array:
        """A θ whose T is about the inverse of `gram`, the mean of z zᵀ over rows, shape (k, k).

        Then each coef contributes as much to the response as the residual does, in any unit of z.
        """

    @abstractmethod
    def normalize(self, theta: ArrayLike) -> Array:
        """The θ of the same T whose Λ has no negative diagonal element."""

    @property
    @abstractmethod
    def sd_index(self) -> tuple[int, ...]:
        """Coefs whose standard deviation is free."""

    @property
    @abstractmethod
    def pairs(self) -> tuple[tuple[int, int], ...]:
        """Coef pairs (i, j), i < j, whose correlation is free, in lme4's order."""

    @abstractmethod
    def factor_natural(self, sd: ArrayLike, cor: ArrayLike) -> Array:
        """The lower factor of the absolute covariance diag(sd) R diag(sd), shape (k, k).

        Parameters
        ----------
        sd : (k,) standard deviations, 0 allowed.
        cor : (n_pairs,) correlations in the order of `pairs`, ±1 allowed; where an sd is 0 they
            don't matter and may be NaN.

        Raises
        ------
        OptionError
            When R isn't a correlation matrix.
        """

    @abstractmethod
    def names(self, coefs: tuple[str, ...]) -> tuple[str, ...]:
        """What each element of θ belongs to: a coef, or a pair of them."""

    @abstractmethod
    def vanished(self, theta: ArrayLike, gram: ArrayLike) -> Array:
        """Directions D, shape (r, k, k), in which the covariance is singular at θ.

        Λ + δD has T + δ²aaᵀ, a of unit mean square under `gram` (zᵀa over rows) and Ta = 0 in its dual.
        """

    @abstractmethod
    def without_small(self, theta: ArrayLike, gram: ArrayLike, size: float) -> Iterator[Array]:
        """θ with its smallest direction taken out, then the two smallest ..., as long as they are small.

        A direction's size is its root mean square contribution zᵀb over rows, relative to σ.
        """


@dataclass(frozen=True)
class Unstructured(CovarianceStructure):
    """Any covariance: θ is the lower triangle of Λ, column by column (lme4's order)."""

    keyword: ClassVar[str] = "us"
    linear: ClassVar[bool] = True

    @property
    def _rows_columns(self) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        columns, rows = np.triu_indices(self.k)
        return rows, columns

    @property
    def n_params(self) -> int:
        return self.k * (self.k + 1) // 2

    @property
    def lower(self) -> Array:
        rows, columns = self._rows_columns
        return np.where(rows == columns, 0.0, -np.inf)

    def factor(self, theta: ArrayLike) -> Array:
        out = np.zeros((self.k, self.k))
        out[self._rows_columns] = theta
        return out

    def derivative(self, theta: ArrayLike) -> Array:
        rows, columns = self._rows_columns
        out = np.zeros((self.n_params, self.k, self.k))
        out[np.arange(self.n_params), rows, columns] = 1.0
        return out

    def parameters(self, factor: ArrayLike) -> Array:
        return np.asarray(factor, dtype=float)[self._rows_columns]

    def start(self, gram: ArrayLike) -> Array:
        scale = _inverse_root(np.diag(gram))
        scaled = scale[:, None] * np.asarray(gram, dtype=float) * scale
        try:
            factor = scale[:, None] * np.linalg.cholesky(np.linalg.inv(scaled))
        except np.linalg.LinAlgError:  # collinear coefs: their own scales are enough
            factor = np.diag(scale)
        return self.parameters(factor)

    def normalize(self, theta: ArrayLike) -> Array:
        factor = self.factor(theta)
        return self.parameters(factor * np.where(np.diag(factor) < 0, -1.0, 1.0))

    @property
    def sd_index(self) -> tuple[int, ...]:
        return tuple(range(self.k))

    @property
    def pairs(self) -> tuple[tuple[int, int], ...]:
        return tuple((i, j) for i in range(self.k) for j in range(i + 1, self.k))

    def factor_natural(self, sd: ArrayLike, cor: ArrayLike) -> Array:
        correlation = np.eye(self.k)
        rows, columns = np.triu_indices(self.k, 1)
        # a NaN correlation is one of an sd that is 0: any value gives the same covariance
        correlation[columns, rows] = np.nan_to_num(np.asarray(cor, dtype=float))
        return np.asarray(sd, dtype=float)[:, None] * correlation_factor(correlation)

    def names(self, coefs: tuple[str, ...]) -> tuple[str, ...]:
        rows, columns = self._rows_columns
        return tuple(
            coefs[i] if i == j else f"{coefs[j]}, {coefs[i]}" for i, j in zip(rows, columns, strict=True)
        )

    def vanished(self, theta: ArrayLike, gram: ArrayLike) -> Array:
        root = _root(gram)
        left, sizes, right = np.linalg.svd(root @ self.factor(theta))
        null = sizes <= 1e-12 * max(1.0, sizes[0])
        directions = np.linalg.solve(root, left[:, null])
        vanished: Array = np.einsum("ir,rj->rij", directions, right[null])
        return vanished

    def without_small(self, theta: ArrayLike, gram: ArrayLike, size: float) -> Iterator[Array]:
        root = _root(gram)
        left, sizes, _ = np.linalg.svd(root @ self.factor(theta))
        for rank in range(self.k - 1, -1, -1):
            if sizes[rank] > size:
                return
            kept = np.linalg.solve(root, left[:, :rank] * sizes[:rank])
            yield self.parameters(lower_factor(np.pad(kept, ((0, 0), (0, self.k - rank)))))


@dataclass(frozen=True)
class Diagonal(CovarianceStructure):
    """Independent coefs, each with its own variance: θ is the diagonal of Λ."""

    keyword: ClassVar[str] = "diag"
    linear: ClassVar[bool] = True

    @property
    def n_params(self) -> int:
        return self.k

    @property
    def lower(self) -> Array:
        return np.zeros(self.k)

    def factor(self, theta: ArrayLike) -> Array:
        return np.diag(np.asarray(theta, dtype=float))

    def derivative(self, theta: ArrayLike) -> Array:
        index = np.arange(self.k)
        out = np.zeros((self.k, self.k, self.k))
        out[index, index, index] = 1.0
        return out

    def parameters(self, factor: ArrayLike) -> Array:
        return np.diag(np.asarray(factor, dtype=float)).copy()

    def start(self, gram: ArrayLike) -> Array:
        return _inverse_root(np.diag(gram))

    def normalize(self, theta: ArrayLike) -> Array:
        return np.abs(np.asarray(theta, dtype=float))

    @property
    def sd_index(self) -> tuple[int, ...]:
        return tuple(range(self.k))

    @property
    def pairs(self) -> tuple[tuple[int, int], ...]:
        return ()

    def factor_natural(self, sd: ArrayLike, cor: ArrayLike) -> Array:
        return np.diag(np.asarray(sd, dtype=float))

    def names(self, coefs: tuple[str, ...]) -> tuple[str, ...]:
        return coefs

    def vanished(self, theta: ArrayLike, gram: ArrayLike) -> Array:
        null = np.flatnonzero(np.asarray(theta) == 0.0)
        out = np.zeros((len(null), self.k, self.k))
        out[np.arange(len(null)), null, null] = _inverse_root(np.diag(gram))[null]
        return out

    def without_small(self, theta: ArrayLike, gram: ArrayLike, size: float) -> Iterator[Array]:
        reduced = np.array(theta, dtype=float)
        sizes = np.abs(reduced) / _inverse_root(np.diag(gram))
        for i in np.argsort(sizes):
            if sizes[i] > size:
                return
            reduced[i] = 0.0
            yield reduced.copy()


def structures_by_keyword() -> dict[str, type[CovarianceStructure]]:
    """Every covariance structure, by the word that asks for it in a formula."""
    return {structure.keyword: structure for structure in CovarianceStructure.__subclasses__()}


def correlation_factor(correlation: ArrayLike) -> Array:
    """The lower Cholesky factor of a correlation matrix, which may be singular; reads its lower triangle.

    Raises
    ------
    OptionError
        When the matrix isn't positive semidefinite.
    """
    R = np.asarray(correlation, dtype=float)
    L = np.zeros_like(R)
    for j in range(len(R)):
        pivot = R[j, j] - L[j, :j] @ L[j, :j]
        rest = R[j + 1 :, j] - L[j + 1 :, :j] @ L[j, :j]
        vanished = pivot <= 1e-15
        if pivot < -1e-10 or (vanished and np.any(np.abs(rest) > 1e-6)):
            raise OptionError(
                f"these correlations don't make a correlation matrix:\n{np.tril(R, -1) + np.eye(len(R))}"
            )
        if not vanished:
            L[j, j] = np.sqrt(pivot)
            L[j + 1 :, j] = rest / L[j, j]
    return L


def lower_factor(factor: ArrayLike) -> Array:
    """The lower-triangular L, diagonal ≥ 0, with LLᵀ = FFᵀ; a lost rank shows as a column of zeros."""
    F = np.asarray(factor, dtype=float)
    length = np.sqrt(np.sum(F**2, axis=1, keepdims=True))
    rows = F / np.where(length > 0, length, 1.0)
    T = rows @ rows.T
    L = np.zeros_like(T)
    for j in range(len(T)):
        pivot = T[j, j] - L[j, :j] @ L[j, :j]
        if pivot > 1e-13:
            L[j:, j] = (T[j:, j] - L[j:, :j] @ L[j, :j]) / np.sqrt(pivot)
    return length * L


def _root(gram: ArrayLike) -> Array:
    """Upper-triangular R with RᵀR = gram, or the diagonal's root if gram is singular."""
    try:
        return np.linalg.cholesky(np.asarray(gram, dtype=float)).T
    except np.linalg.LinAlgError:
        return np.diag(1 / _inverse_root(np.diag(gram)))


def _inverse_root(diagonal: ArrayLike) -> Array:
    """1/√d, and 1 where d is 0."""
    d = np.asarray(diagonal, dtype=float)
    return 1 / np.sqrt(np.where(d > 0, d, 1.0))

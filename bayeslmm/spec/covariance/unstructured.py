"""Any covariance."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, partial
from typing import ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .algebra import correlation_factor, gram_root, lower_factor
from .base import Array, Clearing, CovarianceStructure, Departure, along, straight
from .correlation import Vine


@dataclass(frozen=True)
class Unstructured(CovarianceStructure):
    """Any covariance: θ is the lower triangle of Λ, column by column (lme4's order)."""

    keyword: ClassVar[str] = "us"
    linear: ClassVar[bool] = True

    @property
    def _rows_columns(self) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        return _lower_triangle(self.k)

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
        F = np.asarray(factor, dtype=float)
        rows, columns = self._rows_columns
        lower = lower_factor(F) if F[columns, rows][rows > columns].any() else F
        return lower[rows, columns]

    def start(self, gram: ArrayLike, root: Array) -> Array:
        return self.parameters(root)

    def near(self, covariance: Array) -> Array:
        try:
            return np.linalg.cholesky(covariance)[self._rows_columns]
        except np.linalg.LinAlgError:
            return super().near(covariance)

    def steps(self, root: ArrayLike) -> Array:
        """Column by column of Λ, what is left of S: (S⁻¹Λ)_j = S⁻¹[j:, j:] λ_j."""
        S = np.asarray(root, dtype=float)
        out, first = np.zeros((self.n_params, self.n_params)), 0
        for j in range(self.k):
            own = slice(first, first + self.k - j)
            out[own, own] = S[j:, j:]
            first = own.stop
        return out

    def normalize(self, theta: ArrayLike) -> Array:
        values, (rows, columns) = np.asarray(theta, dtype=float), self._rows_columns
        return np.where((values[rows == columns] < 0)[columns], -values, values)

    @property
    def pairs(self) -> tuple[tuple[int, int], ...]:
        return tuple((i, j) for i in range(self.k) for j in range(i + 1, self.k))

    @property
    def correlation(self) -> Vine:
        return Vine(self.k)

    def correlation_root(self, cor: ArrayLike) -> Array:
        correlation = np.eye(self.k)
        rows, columns = np.triu_indices(self.k, 1)
        correlation[columns, rows] = cor
        return correlation_factor(correlation)

    def names(self, coefs: tuple[str, ...]) -> tuple[str, ...]:
        rows, columns = self._rows_columns
        return tuple(
            coefs[i] if i == j else f"{coefs[j]}, {coefs[i]}" for i, j in zip(rows, columns, strict=True)
        )

    def vanished(self, theta: ArrayLike, gram: ArrayLike, coefs: tuple[str, ...]) -> tuple[Departure, ...]:
        root, factor = gram_root(gram), self.factor(theta)
        left, sizes, right = np.linalg.svd(root @ factor)
        null = sizes <= 1e-12 * max(1.0, sizes[0])
        # a has unit mean square over rows and Ta = 0 in the dual: Λ + δ a vᵀ has T + δ²aaᵀ
        directions = np.einsum("ir,rj->rij", np.linalg.solve(root, left[:, null]), right[null])
        return tuple(
            Departure(f"no variance along {along(each, coefs)}", (straight(factor, each),))
            for each in directions
        )

    def without_small(self, theta: ArrayLike, gram: ArrayLike, size: float) -> Iterator[Clearing]:
        root, factor = gram_root(gram), self.factor(theta)
        left, sizes, _ = np.linalg.svd(root @ factor)
        for rank in range(self.k - 1, -1, -1):
            if sizes[rank] > size:
                return
            kept = np.linalg.solve(root, left[:, :rank] * sizes[:rank])
            reduced = lower_factor(kept)
            turned = np.where(np.sum(factor * reduced, axis=0) < 0, -1.0, 1.0)  # as its columns were
            yield partial(_instead, self.parameters(reduced * turned))


@cache
def _lower_triangle(k: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Rows and columns of a lower triangle, column by column."""
    columns, rows = np.triu_indices(k)
    return rows, columns


def _instead(theta: Array, _: Array) -> Array:
    return theta

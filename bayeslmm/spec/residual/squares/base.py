"""What every sum of squares can do."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, Self

import numpy as np

from bayeslmm.spec.residual.roots.base import Array, Codes, Unique
from bayeslmm.spec.residual.structure import STEP

if TYPE_CHECKING:
    from scipy.sparse import csr_array


class Terms(NamedTuple):
    """Combinations of rows, term by term.

    Attributes
    ----------
    which : (N,) the combination that a term belongs to. row : (N,). times : (N,).
    """

    which: Codes
    row: Codes
    times: Array

    def beside(self, other: "Terms") -> "Terms":
        """These combinations, then others."""
        which = np.append(self.which, other.which + int(self.which.max(initial=-1)) + 1)
        return Terms(which, np.append(self.row, other.row), np.append(self.times, other.times))

    @classmethod
    def rows(cls, rows: Codes) -> Self:
        """Single rows (T,)."""
        return cls(np.arange(len(rows)), rows, np.ones(len(rows)))

    @classmethod
    def differences(cls, one: Codes, other: Codes) -> Self:
        """Of rows (T,) and rows (T,)."""
        which, ones = np.arange(len(one)), np.ones(len(one))
        return cls(np.tile(which, 2), np.append(one, other), np.append(ones, -ones))


class Combinations(NamedTuple):
    """Combinations of rows in classes.

    Attributes
    ----------
    matrix : (T, n), class by class. first : (K + 1,) where each class begins, and T.
    """

    matrix: "csr_array"
    first: Codes

    @classmethod
    def of(cls, n: int, parts: list[tuple[Codes, int, Terms]]) -> Self:
        """Of n rows: class (T,) of each combination, how many there are, and terms, part by part."""
        from scipy.sparse import csr_array

        counts = np.cumsum([0, *(number for _, number, _ in parts)])
        classes = np.concatenate([own + first for (own, *_), first in zip(parts, counts[:-1], strict=True)])
        began = np.cumsum([0, *(len(own) for own, *_ in parts)])[:-1]
        which = np.concatenate([each.which + first for (*_, each), first in zip(parts, began, strict=True)])
        place = np.empty(len(classes), dtype=np.int64)
        place[np.argsort(classes, kind="stable")] = np.arange(len(classes))
        row, times = (np.concatenate([each[i] for *_, each in parts]) for i in (1, 2))
        matrix = csr_array((times, (place[which], row)), shape=(len(classes), n))
        return cls(matrix, np.append(0, np.cumsum(np.bincount(classes, minlength=counts[-1]))))


class ManySquares(NamedTuple):
    """Of N φ: c (N, K), log|C| (N,) and strain (N,)."""

    coefficients: Array
    log_dets: Array
    strains: Array


@dataclass(frozen=True, eq=False)
class Squares(ABC):
    """MᵀS⁻¹C⁻¹S⁻¹M = Σ_k c_k Σ_t (b_tM)ᵀ(b_tM), t in class k, for rows M.

    Attributes
    ----------
    combinations : the b_t. unique : the places that it asks for; `rho` is the correlation at each, (u,).
    """

    combinations: Combinations
    unique: Unique

    @abstractmethod
    def coefficients(self, rho: Array, precisions: Array) -> Array:
        """c (K,), of correlations and of 1/s of each kind of row."""

    @abstractmethod
    def pull(self, rho: Array, precisions: Array, by_coefficients: Array) -> tuple[Array, Array]:
        """Gradient in rho and in 1/s of a function of c, given that in c (K,)."""

    def information(self, rho: Array, by_rho: Array, by_log_sds: Array) -> tuple[Array, Array] | None:
        """tr(R⁻¹R_kR⁻¹R_l) and tr(R⁻¹R_k), R_k = dR/dφ_k; None where differences of gradients are cheap.

        Parameters
        ----------
        by_rho, by_log_sds : (·, u) and (·, S) derivatives of correlations, and of log s of each kind.
        """
        del rho, by_rho, by_log_sds
        return None

    @abstractmethod
    def strain(self, rho: Array) -> float:
        """The largest element of C⁻¹; infinite where there is none."""

    @abstractmethod
    def log_det(self, rho: Array) -> float:
        """log|C|."""

    @abstractmethod
    def log_det_gradient(self, rho: Array) -> Array:
        """d log|C| / d rho, (u,)."""

    def many(self, rho: Array, precisions: Array) -> "ManySquares":
        """Of N φ: rho (N, u) and 1/s (N, S)."""
        each = zip(rho, precisions, strict=True)
        return ManySquares(
            np.array([self.coefficients(*own) for own in each]),
            np.array([self.log_det(own) for own in rho]),
            np.array([self.strain(own) for own in rho]),
        )

    @property
    def n_classes(self) -> int:
        """K."""
        return len(self.combinations.first) - 1


def elementwise_slopes(function: Callable[..., Any], *values: Array) -> list[Array]:
    """Derivatives of an analytic function of arrays, element by element, by each of them."""
    steps = 1j * STEP * np.eye(len(values))
    return [
        np.imag(function(*(each + step for each, step in zip(values, own, strict=True)))) / STEP
        for own in steps
    ]

"""What every root of a correlation matrix can do."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from scipy.sparse import csr_array

type Array = NDArray[np.float64]
type Codes = NDArray[np.int64]
type Places = Callable[[Array, Array], Array]  # of two rows' coordinates (m, d): what their correlation asks


class Unique(NamedTuple):
    """The different places of pairs of rows.

    Attributes
    ----------
    places : (u,). strata : (u,) of each. which : of them each pair has.
    """

    places: Array
    strata: Codes
    which: Codes

    @classmethod
    def of(cls, places: Array, strata: Codes) -> Self:
        """Of pairs' places and strata, (m,)."""
        first, which = distinct(strata, places)
        return cls(places[first], strata[first], which)


def distinct(*columns: Array | Codes) -> tuple[Codes, Codes]:
    """A row of each different one, the first column varying slowest, and which of them every row (n,) is."""
    codes = np.zeros(len(columns[0]), dtype=np.int64)
    for column in columns:
        values, own = np.unique(column, return_inverse=True)
        _, first, codes = np.unique(codes * len(values) + own, return_index=True, return_inverse=True)
    return first, codes


@dataclass(frozen=True, eq=False)
class Joined:
    """Rows in residual groups.

    Attributes
    ----------
    order : (n,) rows, group by group, in the order of their coordinates where there is one of these.
    first : (G + 1,) where each group begins in `order`, and n.
    at : (n, d) coordinates of the rows. strata : (n,) number of each row's stratum.
    kinds : (n,) what else patterns are told apart by; None for nothing.
    """

    order: Codes
    first: Codes
    at: Array
    strata: Codes
    kinds: Codes | None = None

    @classmethod
    def of(cls, groups: Codes, at: Array, strata: Codes) -> Self:
        """Put rows in order."""
        keys = (at[:, 0], groups) if at.shape[1] == 1 else (groups,)
        order = np.lexsort(keys).astype(np.int64)
        new = np.append(True, np.diff(groups[order]) != 0)[: len(groups)]
        return cls(order, np.append(np.flatnonzero(new), len(groups)), at, strata)

    @property
    def n(self) -> int:
        return len(self.order)

    @cached_property
    def sizes(self) -> Codes:
        """(G,) rows of each group."""
        return np.diff(self.first)


@dataclass(frozen=True, eq=False)
class Root(ABC):
    """A triangular root L of C = LLᵀ as a function of the correlations at its places.

    Attributes
    ----------
    joined : the rows. unique : the places that it asks for; `rho` is the correlation at each, (u,).
    """

    joined: Joined
    unique: Unique

    @classmethod
    @abstractmethod
    def of(cls, joined: Joined, place: Places) -> Self:
        """The root of rows, given what the correlation of two rows depends on."""

    @abstractmethod
    def whiten(self, rho: Array, rows: Array) -> Array:
        """L⁻¹ rows, (n, m)."""

    @abstractmethod
    def unwhiten(self, rho: Array, rows: Array) -> Array:
        """L rows, (n, m)."""

    @abstractmethod
    def matrix(self, rho: Array) -> "csr_array":
        """L⁻¹ (n, n), sparse."""

    @abstractmethod
    def transposed(self, rho: Array, rows: Array) -> Array:
        """L⁻ᵀ rows, (n, m)."""

    @abstractmethod
    def untransposed(self, rho: Array, rows: Array) -> Array:
        """Lᵀ rows, (n, m)."""

    @abstractmethod
    def pull(self, rho: Array, rows: Any, by_whitened: Any) -> Array:
        """Gradient in rho, (u,), of a function of L⁻¹ rows, given its derivative by them; arrays or "
        "sparse."""

    @abstractmethod
    def log_pivots(self, rho: Array) -> Array:
        """(n,) log L² on the diagonal, by row."""

    @abstractmethod
    def log_det(self, rho: Array) -> float:
        """log|C|."""

    @abstractmethod
    def log_det_gradient(self, rho: Array) -> Array:
        """d log|C| / d rho, (u,)."""

    @property
    @abstractmethod
    def reach(self) -> "csr_array | None":
        """(n, n) where L⁻¹ can differ from 0; None for all of a residual group."""


def row_dots(a: Any, b: Any) -> Array:
    """Σ_j a_ij b_ij, (n,), of arrays or sparse matrices."""
    if isinstance(a, np.ndarray):
        return np.asarray(np.einsum("ij,ij->i", a, b))
    return np.asarray(a.multiply(b).sum(axis=1)).ravel()

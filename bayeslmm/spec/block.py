"""One grouping factor of a design, with every bar on it."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from .covariance import CovarianceStructure

if TYPE_CHECKING:
    from scipy.sparse import csr_array


type Array = NDArray[np.float64]
type Codes = NDArray[np.int64]


class Incidence(Protocol):
    """Which level of a grouping factor each row has, and with what left-hand columns: what Z is made of."""

    @property
    def codes(self) -> Codes: ...
    @property
    def columns(self) -> Array: ...


class RowsOfBlock(NamedTuple):
    """Rows of a block: codes (n,), the position of each row's level; columns (n, k), left-hand columns."""

    codes: Codes
    columns: Array


@dataclass(frozen=True, slots=True, eq=False)
class Block:
    """One grouping factor with every bar on it.

    Attributes
    ----------
    group : name of the grouping factor, `batch:cask` for an interaction
    levels : its values, in order
    coefs : names of the left-hand columns, all bars of the group in turn
    structures : covariance of each bar's coefs; the block's is their direct sum
    term_numbers : place of each bar in the formula
    incidence : its rows
    known : (J, J) lower factor L of the known covariance between levels, Var(b) = σ² LLᵀ ⊗ T; None where
        levels are independent
    """

    group: str
    levels: tuple[str, ...]
    coefs: tuple[str, ...]
    structures: tuple[CovarianceStructure, ...]
    term_numbers: tuple[int, ...]
    incidence: Incidence
    known: Array | None = None

    @property
    def codes(self) -> Codes:
        """(n,) position in `levels` of each row's level."""
        return self.incidence.codes

    @property
    def columns(self) -> Array:
        """(n, k) left-hand columns."""
        return self.incidence.columns

    @property
    def level_variances(self) -> Array:
        """(J + 1,) variance of each level relative to T; the last is that of a level nobody has seen, 1."""
        own = np.ones(self.n_levels) if self.known is None else np.sum(self.known**2, axis=1)
        return np.append(own, 1.0)

    @property
    def n_levels(self) -> int:
        return len(self.levels)

    @property
    def k(self) -> int:
        """Number of coefs."""
        return len(self.coefs)

    @property
    def n_params(self) -> int:
        """Number of parameters of its covariance."""
        return sum(structure.n_params for structure in self.structures)

    @property
    def q(self) -> int:
        """Number of random effects: levels times coefs."""
        return self.n_levels * self.k

    def matrix(self) -> "csr_array":
        """Its part of Z, (n, q) sparse: level by level, coef fastest."""
        return block_matrix(self.codes, self.columns, self.n_levels)

    def independent_matrix(self) -> "csr_array":
        """The matrix of effects independent between levels: Z, or Z(L ⊗ I) where K = LLᵀ is known."""
        from scipy.sparse import csr_array, eye_array, kron

        Z = self.matrix()
        return Z if self.known is None else csr_array(Z @ kron(self.known, eye_array(self.k), format="csr"))


def block_matrix(codes: Codes, columns: Array, n_levels: int) -> "csr_array":
    """Z of one block, shape (n, n_levels·k); rows whose code is -1 (an unseen level) are zero."""
    from scipy.sparse import csr_array

    n, k = columns.shape
    seen = codes >= 0
    index = codes[:, None] * k + np.arange(k)
    pointer = np.concatenate([[0], np.cumsum(seen * k)])
    Z = csr_array((columns[seen].ravel(), index[seen].ravel(), pointer), shape=(n, n_levels * k))
    Z.eliminate_zeros()
    return Z

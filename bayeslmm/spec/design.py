"""The design: response, fixed-effects matrix and one block per grouping factor, as arrays."""

from collections.abc import Iterator
from dataclasses import dataclass, fields
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .covariance import CovarianceStructure
from .relative import CovarianceMap
from .residual import Residual

if TYPE_CHECKING:
    from scipy.sparse import csr_array

    from bayeslmm.kernel.kernel import Kernel

type Array = NDArray[np.float64]
type Codes = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Block:
    """One grouping factor with every bar on it.

    Attributes
    ----------
    group : name of the grouping factor, `batch:cask` for an interaction
    levels : its values, in order
    codes : (n,) position in `levels` of each row's level
    coefs : names of the left-hand columns, all bars of the group in turn
    columns : (n, k) left-hand columns
    structures : covariance of each bar's coefs; the block's is their direct sum
    term_numbers : place of each bar in the formula
    known : (J, J) lower factor L of the known covariance between levels, Var(b) = σ² LLᵀ ⊗ T; None where
        levels are independent
    """

    group: str
    levels: tuple[str, ...]
    codes: Codes
    coefs: tuple[str, ...]
    columns: Array
    structures: tuple[CovarianceStructure, ...]
    term_numbers: tuple[int, ...]
    known: Array | None = None

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


class MeanSd(NamedTuple):
    """Means and standard deviations (divided by n) of columns, (k,) each."""

    mean: Array
    sd: Array

    @classmethod
    def of(cls, columns: Array) -> "MeanSd":
        varies = np.ptp(columns, axis=0) > 0  # a constant's sd would be of the size of its rounding
        mean = np.where(varies, np.mean(columns, axis=0), columns[0])
        return cls(mean, np.where(varies, np.std(columns, axis=0), 0.0))


class Scales(NamedTuple):
    """How large the data are: sd of the response, means and sds of X's columns and of each block's."""

    y_sd: float
    X: MeanSd
    columns: tuple[MeanSd, ...]


@dataclass(frozen=True)
class Design:
    """What the formula makes of the data: y = Xβ + Zb + offset + e, e ~ N(0, σ²R).

    Attributes
    ----------
    y : (n,) response as given; the offset isn't taken off
    offset : (n,) zeros if none
    residual : R, and σ where it is known
    X : (n, p) of full column rank
    coefs : names of X's columns
    dropped : columns left out because they depend on earlier ones
    blocks : grouping factors in formula order
    rows : (n,) positions in the user's data of the rows kept
    n_missing : number of rows dropped for a missing value
    response : the formula's left side
    """

    y: Array
    offset: Array
    residual: Residual
    X: Array
    coefs: tuple[str, ...]
    dropped: tuple[str, ...]
    blocks: tuple[Block, ...]
    rows: Codes
    n_missing: int
    response: str

    @property
    def weights(self) -> Array:
        return self.residual.shown["weights"]

    @property
    def n(self) -> int:
        return len(self.y)

    @property
    def p(self) -> int:
        return len(self.coefs)

    @property
    def q(self) -> int:
        """Number of random effects."""
        return sum(block.q for block in self.blocks)

    @property
    def n_theta(self) -> int:
        return self.covariance.n_theta

    @cached_property
    def covariance(self) -> CovarianceMap:
        """θ ↔ relative factors ↔ natural parameters."""
        return CovarianceMap.build(self.blocks, self.weights)

    @cached_property
    def scales(self) -> Scales:
        """Means and standard deviations of the columns."""
        own = tuple(MeanSd.of(block.columns) for block in self.blocks)
        return Scales(float(np.std(self.y)), MeanSd.of(self.X), own)

    @property
    def in_memory(self) -> bool:
        """Are the rows here? If not whatever needs all of them raises."""
        return True

    def chunks(self) -> "Iterator[Design]":
        """The rows in turn, as designs; all at once when they are in memory."""
        yield self

    @cached_property
    def Z(self) -> "csr_array":
        """(n, q) sparse: block by block, level by level, coef fastest."""
        from scipy.sparse import csr_array, hstack

        parts = [block.matrix() for block in self.blocks]
        return csr_array(hstack(parts, format="csr")) if parts else csr_array((self.n, 0))

    @cached_property
    def independent_Z(self) -> "csr_array":
        """Z(L ⊗ I), (n, q) sparse: of effects that are independent between levels; Z where no K is known."""
        from scipy.sparse import csr_array, hstack

        if all(block.known is None for block in self.blocks):
            return self.Z
        return csr_array(hstack([block.independent_matrix() for block in self.blocks], format="csr"))

    def terms(self) -> "dict[str, csr_array]":
        """Z by grouping factor, for people to look at."""
        return {
            block.group: block_matrix(block.codes, block.columns, block.n_levels) for block in self.blocks
        }

    @cached_property
    def kernel(self) -> "Kernel":
        """The numbers of this design in the shape the engines compute with."""
        from bayeslmm.kernel.kernel import Kernel

        parts = [(block.codes, block.columns, block.n_levels) for block in self.blocks]
        weights = None if np.all(self.weights == 1.0) else self.weights
        known = tuple(block.known for block in self.blocks)
        return Kernel.build(self.y - self.offset, self.X, parts, weights, known)

    def __getstate__(self) -> dict[str, Any]:
        # what is cached can be had again
        return {field.name: getattr(self, field.name) for field in fields(self)}


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

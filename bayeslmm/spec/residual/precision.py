"""R⁻¹(φ) as a sum of squares whose coefficients alone depend on φ."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple, Protocol, Self

import numpy as np

from .correlations import CorrelationStructure
from .places import correlation_slopes, correlations
from .squares import Squares
from .squares.base import Combinations
from .structure import Array, Part


class Kinds(Protocol):
    """Rows of a kind each, uncorrelated: a residual."""

    @property
    def n(self) -> int: ...
    def whiten(self, rows: Any, phi: Any) -> Any: ...
    def pull(self, rows: Any, by_whitened: Any, phi: Any) -> Array: ...


@dataclass(frozen=True, eq=False)
class Precision:
    """MᵀR⁻¹(φ)M = Σ_k c_k(φ) Σ_t (b_tM)ᵀ(b_tM), t in class k, for rows M (n, ...).

    Attributes
    ----------
    squares : of C⁻¹ between standard deviations. correlation : None where rows are independent.
    kinds : one row of each. counts : (S,) rows of each. weights : (n,) of the prior.
    """

    squares: Squares
    correlation: Part[CorrelationStructure] | None
    kinds: Kinds
    counts: Array
    weights: Array

    @cached_property
    def combinations(self) -> Combinations:
        """The b_t, prior weights in them."""
        from scipy.sparse import csr_array

        own = self.squares.combinations
        return Combinations(csr_array(own.matrix.multiply(np.sqrt(self.weights))), own.first)

    @property
    def n_classes(self) -> int:
        """K."""
        return self.squares.n_classes

    @property
    def alike(self) -> float:
        """Squares to a class, on average."""
        return self.squares.combinations.matrix.shape[0] / max(self.n_classes, 1)

    def at(self, phi: Array) -> "PrecisionAt":
        """The coefficients at φ (n_phi,)."""
        return PrecisionAt.of(self, phi)


class PrecisionAt(NamedTuple):
    """R⁻¹ at one φ.

    Attributes
    ----------
    own, spread : φ of the correlation and of the standard deviations. rho : (u,) correlations at the places
    that squares ask for. roots : (S,) 1/s of each kind of row.
    """

    precision: Precision
    own: Array
    spread: Array
    rho: Array
    roots: Array

    @classmethod
    def of(cls, precision: Precision, phi: Array) -> Self:
        """Everything that depends on φ."""
        part, unique = precision.correlation, precision.squares.unique
        own, spread = np.split(phi, [0 if part is None else part.n])
        rho = np.zeros(0) if part is None else correlations(part, own, unique.places, unique.strata)
        return cls(precision, own, spread, rho, precision.kinds.whiten(np.ones(precision.kinds.n), spread))

    @property
    def coefficients(self) -> Array:
        """c (K,)."""
        return self.precision.squares.coefficients(self.rho, self.roots)

    @property
    def log_det(self) -> float:
        """log|R|."""
        of_rows = 2 * self.precision.counts @ np.log(self.roots) + np.sum(np.log(self.precision.weights))
        return self.precision.squares.log_det(self.rho) - float(of_rows)

    def pull(self, by_coefficients: Array, by_log_det: float) -> Array:
        """Gradient (n_phi,) of a function of c and log|R|."""
        precision, squares = self.precision, self.precision.squares
        by_rho, by_roots = squares.pull(self.rho, self.roots, by_coefficients)
        by_roots -= 2 * by_log_det * precision.counts / self.roots
        by_spread = precision.kinds.pull(np.ones((len(by_roots), 1)), by_roots[:, None], self.spread)
        if precision.correlation is None:
            return by_spread
        by_rho += by_log_det * squares.log_det_gradient(self.rho)
        slopes = correlation_slopes(precision.correlation, self.own, squares.unique)
        return np.concatenate([slopes @ by_rho, by_spread])

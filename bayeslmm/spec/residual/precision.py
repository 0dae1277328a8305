"""R⁻¹(φ) as a sum of squares whose coefficients alone depend on φ."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple, Protocol, Self

import numpy as np

from .correlations import CorrelationStructure
from .places import correlation_slopes, correlations
from .roots.base import Array, Codes
from .squares import Squares
from .squares.base import Combinations, ManySquares
from .structure import Part


class Kinds(Protocol):
    """Rows of a kind each, uncorrelated: a residual."""

    @property
    def n(self) -> int: ...
    def roots(self, delta: Array) -> Array: ...
    def pull_roots(self, roots: Array, by_roots: Array, delta: Array) -> Array: ...
    def elements(self, i: Any, j: Any, phi: Any) -> tuple[Array, Array]: ...


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
    counts: Codes
    weights: Array

    @cached_property
    def combinations(self) -> Combinations:
        """The b_t, prior weights in them."""
        from scipy.sparse import csr_array

        own = self.squares.combinations
        return Combinations(csr_array(own.matrix.multiply(np.sqrt(self.weights))), own.first)

    @cached_property
    def log_weights(self) -> float:
        """Σ log w."""
        return float(np.sum(np.log(self.weights)))

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

    def many(self, phi: Array) -> ManySquares:
        """The same of many φ (m, n_phi): coefficients (m, K), log|R| and strain (m,)."""
        own = [self.at(each) for each in phi]
        roots = np.array([each.roots for each in own])
        found = self.squares.many(np.array([each.rho for each in own]), roots)
        of_rows = 2 * np.log(roots) @ self.counts + self.log_weights
        return found._replace(log_dets=found.log_dets - of_rows)


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
        ends = 0 if part is None else part.n
        own, spread = phi[:ends], phi[ends:]
        rho = np.zeros(0) if part is None else correlations(part, own, unique.places, unique.strata)
        return cls(precision, own, spread, rho, precision.kinds.roots(spread))

    @property
    def coefficients(self) -> Array:
        """c (K,)."""
        return self.precision.squares.coefficients(self.rho, self.roots)

    @property
    def log_det(self) -> float:
        """log|R|."""
        of_rows = 2 * float(self.precision.counts @ np.log(self.roots)) + self.precision.log_weights
        return self.precision.squares.log_det(self.rho) - of_rows

    @property
    def strain(self) -> float:
        """The largest element of C⁻¹: how much larger products of rows may be than what they add up to."""
        return self.precision.squares.strain(self.rho)

    def pull(self, by_coefficients: Array, by_log_det: float) -> Array:
        """Gradient (n_phi,) of a function of c and log|R|."""
        precision, squares = self.precision, self.precision.squares
        by_rho, by_roots = squares.pull(self.rho, self.roots, by_coefficients)
        by_spread = np.zeros(0)
        if len(self.spread):
            by_roots -= 2 * by_log_det * precision.counts / self.roots
            by_spread = precision.kinds.pull_roots(self.roots, by_roots, self.spread)
        if precision.correlation is None:
            return by_spread
        by_rho += by_log_det * squares.log_det_gradient(self.rho)
        return np.concatenate([self._correlation_slopes(precision.correlation) @ by_rho, by_spread])

    def information(self, sigma_free: bool) -> Array | None:
        """The expected Hessian (n_phi, n_phi) of −2 log-likelihood, σ at its best where it is free."""
        precision, part, each = self.precision, self.precision.correlation, np.arange(len(self.roots))
        variances, by_spread = precision.kinds.elements(each, each, self.spread)
        by_own = np.zeros((0, 0)) if part is None else self._correlation_slopes(part)
        found = precision.squares.information(self.rho, by_own, 0.5 * by_spread / variances)
        if found is None:
            return None
        products, traces = found
        rows = float(np.sum(precision.counts))
        return products - sigma_free * np.outer(traces, traces) / rows

    def _correlation_slopes(self, part: Part[CorrelationStructure]) -> Array:
        return correlation_slopes(part, self.own, self.precision.squares.unique)

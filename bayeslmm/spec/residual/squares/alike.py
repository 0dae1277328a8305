"""Rows of a group that are all alike."""

from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from bayeslmm.spec.residual.roots import Exchangeable
from bayeslmm.spec.residual.roots.base import Array, Codes, distinct

from .base import Combinations, Squares, Terms, elementwise_slopes


@dataclass(frozen=True, eq=False)
class Alike(Squares):
    """Σe²/(1 − ρ) of rows and (Σe)²(1/(1 + (m−1)ρ) − 1/(1 − ρ))/m of groups of m, over s².

    Attributes
    ----------
    stratum, size : of each class; size 0 for single rows.
    """

    root: Exchangeable
    stratum: Codes
    size: Codes

    @classmethod
    def of(cls, root: Exchangeable) -> Self:
        """Rows of one kind."""
        joined, strata = root.joined, len(root.unique.strata)
        first, own = distinct(root.stratum[joined.order[joined.first[:-1]]], joined.sizes)
        group = np.repeat(np.arange(len(joined.sizes)), joined.sizes)
        sums = Terms(group, joined.order, np.ones(joined.n))
        found = Combinations.of(
            joined.n, [(root.stratum, strata, Terms.rows(np.arange(joined.n))), (own, len(first), sums)]
        )
        of_groups = root.stratum[joined.order[joined.first[first]]]
        stratum = np.append(np.arange(strata), of_groups)
        return cls(found, root.unique, root, stratum, np.append(np.zeros(strata), joined.sizes[first]))

    def _each(self, rho: Any, precision: Any) -> Any:
        m, within = self.size, 1 / (1 - rho)
        between = (1 / (1 + (m - 1) * rho) - within) / np.maximum(m, 1)
        return precision**2 * np.where(m > 0, between, within)

    def _arguments(self, rho: Array, precisions: Array) -> tuple[Array, Array]:
        return rho[self.stratum], np.broadcast_to(precisions[0], self.stratum.shape)

    def coefficients(self, rho: Array, precisions: Array) -> Array:
        return np.asarray(self._each(*self._arguments(rho, precisions)))

    def pull(self, rho: Array, precisions: Array, by_coefficients: Array) -> tuple[Array, Array]:
        by_rho, by_kind = (
            by_coefficients * each
            for each in elementwise_slopes(self._each, *self._arguments(rho, precisions))
        )
        return np.bincount(self.stratum, by_rho, len(rho)), np.sum(by_kind, keepdims=True)

    def strain(self, rho: Array) -> float:
        return float(1 / np.min(1 - rho, initial=1.0))

    def log_det(self, rho: Array) -> float:
        return self.root.log_det(rho)

    def log_det_gradient(self, rho: Array) -> Array:
        return self.root.log_det_gradient(rho)

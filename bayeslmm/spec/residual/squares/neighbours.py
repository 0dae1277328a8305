"""Rows that depend on the one before them alone, or on none."""

from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from bayeslmm.spec.residual.roots import Chain
from bayeslmm.spec.residual.roots.base import Array, Codes, Unique, distinct

from .base import Combinations, Squares, Terms, elementwise_slopes


@dataclass(frozen=True, eq=False)
class Neighbours(Squares):
    """(e_l/s_l − ρe_b/s_b)²/(1 − ρ²) of pairs, by the squares of e_l, e_b and e_l − e_b.

    A combination's square is said by those of rows and of their difference, so that what is common to
    neighbours leaves digits to what isn't.

    Attributes
    ----------
    root : None where no rows are joined. alone : kind of each class of rows that begin a group.
    place, later, before : of each class of pairs, their place and kinds.
    """

    root: Chain | None
    alone: Codes
    place: Codes
    later: Codes
    before: Codes

    @classmethod
    def of_unjoined(cls, kinds: Codes) -> Self:
        """Rows that depend on none."""
        none = np.zeros(0, dtype=np.int64)
        firsts, own = np.unique(kinds, return_inverse=True)
        found = Combinations.of(len(kinds), [(own, len(firsts), Terms.rows(np.arange(len(kinds))))])
        return cls(found, Unique(np.zeros(0), none, none), None, firsts, none, none, none)

    @classmethod
    def of(cls, root: Chain, kinds: Codes) -> Self:
        """Rows in chains."""
        which, later, before = root.unique.which, root.later, root.before
        begin = np.setdiff1d(np.arange(root.joined.n), later)
        alone, own = np.unique(kinds[begin], return_inverse=True)
        first, pair = distinct(which, kinds[later], kinds[before])
        terms = Terms.rows(later), Terms.rows(before), Terms.differences(later, before)
        found = Combinations.of(
            root.joined.n,
            [(own, len(alone), Terms.rows(begin)), *((pair, len(first), each) for each in terms)],
        )
        kinds_of = kinds[later[first]], kinds[before[first]]
        return cls(found, root.unique, root, alone, which[first], *kinds_of)

    @staticmethod
    def _pairs(rho: Any, later: Any, before: Any) -> Any:
        """(3, P) coefficients of e_l², e_b² and (e_l − e_b)², of ρ and 1/s."""
        scale = 1 / ((1 - rho) * (1 + rho))
        common = rho * later * before
        return scale * np.array([later**2 - common, (rho * before) ** 2 - common, common])

    def _arguments(self, rho: Array, precisions: Array) -> tuple[Array, Array, Array]:
        return rho[self.place], precisions[self.later], precisions[self.before]

    def coefficients(self, rho: Array, precisions: Array) -> Array:
        pairs = self._pairs(*self._arguments(rho, precisions))
        return np.append(precisions[self.alone] ** 2, pairs)

    def pull(self, rho: Array, precisions: Array, by_coefficients: Array) -> tuple[Array, Array]:
        single, pairs = np.split(by_coefficients, [len(self.alone)])
        slopes = elementwise_slopes(self._pairs, *self._arguments(rho, precisions))
        by_rho, *by_kinds = (np.sum(pairs.reshape(3, -1) * each, axis=0) for each in slopes)
        own = 2 * precisions[self.alone] * single
        return np.bincount(self.place, by_rho, len(rho)), np.bincount(
            np.concatenate([self.alone, self.later, self.before]),
            np.concatenate([own, *by_kinds]),
            len(precisions),
        )

    def log_det(self, rho: Array) -> float:
        return 0.0 if self.root is None else self.root.log_det(rho)

    def log_det_gradient(self, rho: Array) -> Array:
        return rho if self.root is None else self.root.log_det_gradient(rho)

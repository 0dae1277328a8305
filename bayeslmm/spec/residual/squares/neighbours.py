"""Rows that depend on the one before them alone, or on none."""

from dataclasses import dataclass
from functools import cached_property
from typing import Self

import numpy as np

from bayeslmm.spec.residual.roots import Chain
from bayeslmm.spec.residual.roots.base import Array, Codes, Unique, distinct

from .base import Combinations, Squares, Terms


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

    def coefficients(self, rho: Array, precisions: Array) -> Array:
        """Of rows that begin, then of e_l², e_b² and (e_l − e_b)²: with q = 1/(1 − ρ²) and v = 1/s,

        q v_l(v_l − ρv_b),  q ρv_b(ρv_b − v_l),  q ρ v_l v_b.
        """
        r, later, before, q = self._at(rho, precisions)
        last, both = r * before, q * r * later * before
        return np.concatenate(
            [precisions[self.alone] ** 2, q * later * (later - last), q * last * (last - later), both]
        )

    def _at(self, rho: Array, precisions: Array) -> tuple[Array, Array, Array, Array]:
        r = rho[self.place]
        return r, precisions[self.later], precisions[self.before], 1 / ((1 - r) * (1 + r))

    def pull(self, rho: Array, precisions: Array, by_coefficients: Array) -> tuple[Array, Array]:
        (r, later, before, q), first = self._at(rho, precisions), len(self.alone)
        own, last, both = by_coefficients[first:].reshape(3, -1)
        cross = both - own - last  # a function of q(own v_l² + last ρ²v_b² + cross ρv_lv_b)
        squares, product = own * later**2 + last * before**2, cross * later * before
        by_rho = q * q * (2 * r * squares + (1 + r * r) * product)
        by_later = q * (2 * own * later + cross * r * before)
        by_before = q * r * (2 * last * r * before + cross * later)
        by_alone = 2 * precisions[self.alone] * by_coefficients[:first]
        return np.bincount(self.place, by_rho, len(rho)), np.bincount(
            self._kinds, np.concatenate([by_alone, by_later, by_before]), len(precisions)
        )

    @cached_property
    def _kinds(self) -> Codes:
        return np.concatenate([self.alone, self.later, self.before])

    def strain(self, rho: Array) -> float:
        return float(1 / np.min((1 - rho) * (1 + rho), initial=1.0))

    def log_det(self, rho: Array) -> float:
        return 0.0 if self.root is None else self.root.log_det(rho)

    def log_det_gradient(self, rho: Array) -> Array:
        return rho if self.root is None else self.root.log_det_gradient(rho)

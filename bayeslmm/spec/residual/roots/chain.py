"""Rows that depend on the row before them alone: L⁻¹ has two diagonals."""

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from .base import Array, Codes, Joined, Places, Root, Unique, row_dots

if TYPE_CHECKING:
    from scipy.sparse import csr_array


@dataclass(frozen=True, eq=False)
class Chain(Root):
    """w_i = (e_i − ρ_i e_before) / √(1 − ρ_i²), the correlation of distant rows being the product of ρ.

    Attributes
    ----------
    later, before : (m,) pairs of rows that follow each other.
    """

    later: Codes
    before: Codes

    @classmethod
    def of(cls, joined: Joined, place: Places) -> Self:
        inner = np.setdiff1d(np.arange(joined.n), joined.first)
        later, before = joined.order[inner], joined.order[inner - 1]
        places = place(joined.at[before], joined.at[later])
        return cls(joined, Unique.of(places, joined.strata[later]), later, before)

    def _steps(self, rho: Array) -> Array:
        """(m,) ρ of each pair."""
        return rho[self.unique.which]

    @staticmethod
    def _spread(steps: Array) -> Array:
        return np.sqrt((1 - steps) * (1 + steps))

    def whiten(self, rho: Array, rows: Array) -> Array:
        steps, out = self._steps(rho)[:, None], rows.copy()
        out[self.later] = (rows[self.later] - steps * rows[self.before]) / self._spread(steps)
        return out

    def unwhiten(self, rho: Array, rows: Array) -> Array:
        from scipy.linalg import solve_banded

        spread, below, order = *self._bands(rho), self.joined.order
        out = np.empty_like(rows)
        out[order] = solve_banded(
            (1, 0), np.vstack([np.ones(len(order)), below]), spread[:, None] * rows[order]
        )
        return out

    def untransposed(self, rho: Array, rows: Array) -> Array:
        from scipy.linalg import solve_banded

        spread, below, order = *self._bands(rho), self.joined.order
        above = np.append(0.0, below[:-1])
        out = np.empty_like(rows)
        out[order] = spread[:, None] * solve_banded(
            (0, 1), np.vstack([above, np.ones(len(order))]), rows[order]
        )
        return out

    def _bands(self, rho: Array) -> tuple[Array, Array]:
        """√(1 − ρ²) and, below the diagonal, −ρ of the next row: (n,) in order."""
        steps, order = self._steps(rho), self.joined.order
        spread, own = np.ones(self.joined.n), np.zeros(self.joined.n)
        spread[self.later], own[self.later] = self._spread(steps), steps
        return spread[order], np.append(-own[order[1:]], 0.0)

    def matrix(self, rho: Array) -> "csr_array":
        from scipy.sparse import csr_array

        steps, n = self._steps(rho), self.joined.n
        spread = self._spread(steps)
        diagonal = np.ones(n)
        diagonal[self.later] = 1 / spread
        values = np.concatenate([diagonal, -steps / spread])
        rows, columns = np.append(np.arange(n), self.later), np.append(np.arange(n), self.before)
        return csr_array((values, (rows, columns)), shape=(n, n))

    def transposed(self, rho: Array, rows: Array) -> Array:
        steps, out = self._steps(rho)[:, None], rows.copy()
        scaled = rows[self.later] / self._spread(steps)
        out[self.later] = scaled
        out[self.before] -= steps * scaled  # each row is before at most one other
        return out

    def pull(self, rho: Array, rows: Any, by_whitened: Any) -> Array:
        steps = self._steps(rho)
        spread = self._spread(steps)
        by, last, own = by_whitened[self.later], rows[self.before], rows[self.later]
        before, dots = row_dots(by, last), row_dots(by, own)
        slopes = -before / spread + steps * (dots - steps * before) / spread**3
        return np.bincount(self.unique.which, slopes, minlength=len(rho))

    def log_pivots(self, rho: Array) -> Array:
        steps, out = self._steps(rho), np.zeros(self.joined.n)
        out[self.later] = np.log1p(-steps) + np.log1p(steps)
        return out

    def log_det(self, rho: Array) -> float:
        return float(self._counts @ (np.log1p(-rho) + np.log1p(rho)))

    def log_det_gradient(self, rho: Array) -> Array:
        return -2 * self._counts * rho / ((1 - rho) * (1 + rho))

    @cached_property
    def _counts(self) -> Codes:
        """(u,) pairs at each place."""
        return np.bincount(self.unique.which, minlength=len(self.unique.places))

    @cached_property
    def reach(self) -> "csr_array":
        return abs(self.matrix(np.full(len(self.unique.places), 0.5)))

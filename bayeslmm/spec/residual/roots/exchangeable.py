"""Rows of a group that are all alike: each is seen through the sum of those before it."""

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from .base import Array, Codes, Joined, Places, Root, Unique, row_dots

if TYPE_CHECKING:
    from scipy.sparse import csr_array


@dataclass(frozen=True, eq=False)
class Exchangeable(Root):
    """w_j = (e_j − a_j Σ_{i<j} e_i) / s_j with a_j = ρ/(1 + (j−1)ρ), s_j² = (1−ρ)(1 + jρ)/(1 + (j−1)ρ).

    j counts from 0, where a = 0 and s = 1.

    Attributes
    ----------
    count : (n,) j, rows of the group before each row. stratum : (n,) which of `rho` each row has.
    stacks : rows (g, m) of all groups of one size.
    """

    count: Array
    stratum: Codes
    stacks: tuple[Codes, ...]

    @classmethod
    def of(cls, joined: Joined, place: Places) -> Self:
        count = np.empty(joined.n)
        count[joined.order] = np.arange(joined.n) - np.repeat(joined.first[:-1], joined.sizes)
        stacks = [
            joined.order[joined.first[:-1][joined.sizes == m, None] + np.arange(m)]
            for m in np.unique(joined.sizes)
        ]
        strata, index = np.unique(joined.strata, return_inverse=True)
        unique = Unique(np.zeros(len(strata)), strata, index.astype(np.int64))
        return cls(joined, unique, count, unique.which, tuple(stacks))

    def _terms(self, rho: Array) -> tuple[Array, Array]:
        """a and s of each row, (n, 1)."""
        own, j = rho[self.stratum], self.count
        a = np.where(j > 0, own / (1 + (j - 1) * own), 0.0)
        return a[:, None], np.sqrt(np.where(j > 0, (1 - own) * (1 + j * own) / (1 + (j - 1) * own), 1.0))[
            :, None
        ]

    def _before(self, rows: Array) -> Array:
        """Σ of the rows before, in each group."""
        out = np.empty_like(rows)
        for members in self.stacks:
            own = rows[members]
            out[members] = np.cumsum(own, axis=1) - own
        return out

    def _after(self, rows: Array) -> Array:
        out = np.empty_like(rows)
        for members in self.stacks:
            own = rows[members[:, ::-1]]
            out[members[:, ::-1]] = np.cumsum(own, axis=1) - own
        return out

    def whiten(self, rho: Array, rows: Array) -> Array:
        a, s = self._terms(rho)
        return (rows - a * self._before(rows)) / s

    def unwhiten(self, rho: Array, rows: Array) -> Array:
        a, s = self._terms(rho)
        out = np.empty_like(rows)
        for members in self.stacks:
            total = np.zeros((len(members), rows.shape[1]))
            for own in members.T:
                out[own] = s[own] * rows[own] + a[own] * total
                total += out[own]
        return out

    def transposed(self, rho: Array, rows: Array) -> Array:
        a, s = self._terms(rho)
        return rows / s - self._after(a / s * rows)

    def untransposed(self, rho: Array, rows: Array) -> Array:
        a, s = self._terms(rho)
        out = np.empty_like(rows)
        for members in self.stacks:
            total = np.zeros((len(members), rows.shape[1]))
            for own in members.T[::-1]:  # what later rows make of this one comes through their sums
                left = rows[own] + total
                out[own] = s[own] * left
                total += a[own] * left
        return out

    def matrix(self, rho: Array) -> "csr_array":
        from scipy.sparse import csr_array, diags_array

        a, s = self._terms(rho)
        return csr_array(diags_array(1 / s[:, 0]) - diags_array((a / s)[:, 0]) @ self._earlier)

    @cached_property
    def _earlier(self) -> "csr_array":
        """(n, n) 1 where a row of the group is before another."""
        from scipy.sparse import csr_array

        pairs = [
            (m[:, i].ravel(), m[:, j].ravel())
            for m in self.stacks
            for i, j in [np.tril_indices(m.shape[1], -1)]
        ]
        rows, columns = (np.concatenate(own) for own in zip(*pairs, strict=True))
        return csr_array((np.ones(len(rows)), (rows, columns)), shape=(self.joined.n, self.joined.n))

    def pull(self, rho: Array, rows: Any, by_whitened: Any) -> Array:
        before = self._before(rows) if isinstance(rows, np.ndarray) else self._earlier @ rows
        (a, s), own, j = (each[:, 0] for each in self._terms(rho)), rho[self.stratum], self.count
        sums = row_dots(by_whitened, before)
        whitened = (row_dots(by_whitened, rows) - a * sums) / s
        by_a = np.where(j > 0, 1 / (1 + (j - 1) * own) ** 2, 0.0)
        slopes = -by_a * sums / s - whitened * self._log_slopes(rho)
        return np.bincount(self.stratum, slopes, minlength=len(rho))

    def _log_slopes(self, rho: Array) -> Array:
        """d log s / dρ, (n,)."""
        own, j = rho[self.stratum], self.count
        slopes = -1 / (1 - own) + j / (1 + j * own) - (j - 1) / (1 + (j - 1) * own)
        return np.where(j > 0, 0.5 * slopes, 0.0)

    def log_pivots(self, rho: Array) -> Array:
        return 2 * np.log(self._terms(rho)[1][:, 0])

    def log_det(self, rho: Array) -> float:
        return float(np.sum(self.log_pivots(rho)))

    def log_det_gradient(self, rho: Array) -> Array:
        return np.bincount(self.stratum, 2 * self._log_slopes(rho), minlength=len(rho))

    @property
    def reach(self) -> None:
        return None

"""Rows of a group joined in any way: a Cholesky factor for each pattern of places that groups share."""

from collections import defaultdict
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple, Self

import numpy as np

from .base import Array, Codes, Joined, Places, Root, Unique

if TYPE_CHECKING:
    from scipy.sparse import csr_array


class Stack(NamedTuple):
    """Groups of one pattern: rows (g, m) of each; which places (m, m) pairs have, −1 for a row with "
    "itself."""

    rows: Codes
    places: Codes


class Factor(NamedTuple):
    """C = LLᵀ, and L⁻¹, (m, m)."""

    L: Array
    inverse: Array

    @classmethod
    def of(cls, C: Array) -> Self:
        """Factor a correlation matrix."""
        from scipy.linalg import solve_triangular

        L = _cholesky(C)
        return cls(L, np.asarray(solve_triangular(L, np.eye(len(L)), lower=True, check_finite=False)))


@dataclass(frozen=True, eq=False)
class Patterns(Root):
    """C of each pattern, element by element; cost Σm³ over patterns and Σm² over groups.

    Attributes
    ----------
    stacks : by pattern.
    """

    stacks: tuple[Stack, ...]

    @classmethod
    def of(cls, joined: Joined, place: Places) -> Self:
        members: dict[bytes, list[Codes]] = defaultdict(list)
        for first, end in zip(joined.first[:-1], joined.first[1:], strict=True):
            rows = joined.order[first:end]
            members[joined.at[rows].tobytes() + bytes([joined.strata[rows[0]]])].append(rows)
        stacks = [np.stack(groups) for groups in members.values()]
        pairs = [np.triu_indices(rows.shape[1], 1) for rows in stacks]
        places = [
            place(joined.at[rows[0, i]], joined.at[rows[0, j]])
            for rows, (i, j) in zip(stacks, pairs, strict=True)
        ]
        strata = [joined.strata[rows[0, i]] for rows, (i, _) in zip(stacks, pairs, strict=True)]
        unique = Unique.of(
            np.concatenate([np.zeros(0), *places]), np.concatenate([np.zeros(0, np.int64), *strata])
        )
        parts = np.split(unique.which, np.cumsum([len(each) for each in places])[:-1]) if stacks else []
        return cls(joined, unique, tuple(map(_stack, stacks, pairs, parts)))

    def _factors(self, rho: Array) -> list[Factor]:
        """Of each pattern; of the last rho that was asked for they are kept."""
        key = rho.tobytes()
        if key not in self._kept:
            self._kept.clear()
            self._kept[key] = [Factor.of(_filled(rho, stack)) for stack in self.stacks]
        return self._kept[key]

    @cached_property
    def _kept(self) -> dict[bytes, list[Factor]]:
        return {}

    def whiten(self, rho: Array, rows: Array) -> Array:
        return self._through(rows, [each.inverse for each in self._factors(rho)])

    def unwhiten(self, rho: Array, rows: Array) -> Array:
        return self._through(rows, [each.L for each in self._factors(rho)])

    def transposed(self, rho: Array, rows: Array) -> Array:
        return self._through(rows, [each.inverse.T for each in self._factors(rho)])

    def untransposed(self, rho: Array, rows: Array) -> Array:
        return self._through(rows, [each.L.T for each in self._factors(rho)])

    def _through(self, rows: Array, matrices: list[Array]) -> Array:
        out = np.empty(rows.shape)
        for stack, matrix in zip(self.stacks, matrices, strict=True):
            out[stack.rows] = matrix @ rows[stack.rows]
        return out

    def matrix(self, rho: Array) -> "csr_array":
        from scipy.sparse import csr_array

        n, parts = self.joined.n, []
        for stack, (L, inverse) in zip(self.stacks, self._factors(rho), strict=True):
            i, j = np.tril_indices(len(L))
            shape = (len(stack.rows), len(i))
            parts.append((np.broadcast_to(inverse[i, j], shape), stack.rows[:, i], stack.rows[:, j]))
        values, rows, columns = (
            np.concatenate([each.ravel() for each in own]) for own in zip(*parts, strict=True)
        )
        return csr_array((values, (rows, columns)), shape=(n, n))

    def pull(self, rho: Array, rows: Any, by_whitened: Any) -> Array:
        out = np.zeros(len(rho))
        for stack, (L, inverse) in zip(self.stacks, self._factors(rho), strict=True):
            outer = inverse.T @ _products(by_whitened, rows, stack.rows) @ inverse.T  # L⁻ᵀ W̄ Wᵀ
            by_factor = -np.tril(outer)
            inner = np.tril(L.T @ by_factor)
            inner[np.diag_indices(len(L))] *= 0.5
            self._add(out, stack, inverse.T @ (inner + inner.T) @ inverse)
        return out

    def _add(self, out: Array, stack: Stack, by_matrix: Array) -> None:
        """Add a symmetric derivative by C, each pair of rows counted once."""
        i, j = np.triu_indices(len(by_matrix), 1)
        out += np.bincount(stack.places[i, j], by_matrix[i, j], minlength=len(out))

    def log_pivots(self, rho: Array) -> Array:
        out = np.empty(self.joined.n)
        for stack, (L, _) in zip(self.stacks, self._factors(rho), strict=True):
            out[stack.rows] = 2 * np.log(np.diag(L))
        return out

    def log_det_gradient(self, rho: Array) -> Array:
        out = np.zeros(len(rho))
        for stack, (_, inverse) in zip(self.stacks, self._factors(rho), strict=True):
            self._add(out, stack, 2 * len(stack.rows) * inverse.T @ inverse)
        return out

    @property
    def reach(self) -> None:
        return None


def _stack(rows: Codes, pairs: tuple[Codes, Codes], places: Codes) -> Stack:
    index = np.full((rows.shape[1], rows.shape[1]), -1)
    index[pairs] = index[pairs[::-1]] = places
    return Stack(rows, index)


def _filled(rho: Array, stack: Stack) -> Array:
    return np.append(rho, 1.0)[stack.places]  # −1 is the last, a row with itself


def _cholesky(C: Array) -> Array:
    """L, NaN where C isn't positive definite in floating point: a criterion there is infinite."""
    try:
        return np.linalg.cholesky(C)
    except np.linalg.LinAlgError:
        return np.full(C.shape, np.nan)


def _products(by: Any, rows: Any, members: Codes) -> Array:
    """Σ over groups of W̄ rowsᵀ, (m, m)."""
    if isinstance(rows, np.ndarray):
        flat = (each[members].transpose(1, 0, 2).reshape(members.shape[1], -1) for each in (by, rows))
        left, right = flat
        return np.asarray(left @ right.T)
    return np.asarray(sum((by[own] @ rows[own].T).toarray() for own in members))

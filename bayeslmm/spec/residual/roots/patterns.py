"""Rows of a group joined in any way: a Cholesky factor for each pattern of places that groups share."""

from collections import defaultdict
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING, Any, NamedTuple, Self

import numpy as np

from .base import Array, Codes, Joined, Places, Root, Unique

if TYPE_CHECKING:
    from scipy.sparse import csr_array

DEFINITE = 1e-8  # of a row's variance given those before it, in its own units: with less, rounding decides


class Stack(NamedTuple):
    """Groups of one size m, those of one pattern together.

    Attributes
    ----------
    rows : (g, m) of each group. pattern : (g,) which of the stack's patterns each has, increasing.
    first : (p,) the first group of each. places : (p, m, m) of pairs of rows, −1 for a row with itself.
    counts : (p, 1, 1) groups of each pattern.
    """

    rows: Codes
    pattern: Codes
    first: Codes
    places: Codes
    counts: Array


class Factor(NamedTuple):
    """C = LLᵀ of each pattern of a stack, L⁻¹ and C⁻¹, (p, m, m)."""

    L: Array
    inverse: Array
    precision: Array

    @classmethod
    def of(cls, C: Array) -> Self:
        """Factor correlation matrices; NaN where one isn't definite, to rounding, and criteria infinite."""
        nothing = np.full(C.shape, np.nan)
        try:
            L = np.linalg.cholesky(C)
        except np.linalg.LinAlgError:
            return cls(nothing, nothing, nothing)
        if np.min(np.diagonal(L, axis1=-2, axis2=-1), initial=1.0) ** 2 < DEFINITE:
            return cls(nothing, nothing, nothing)
        inverse = np.linalg.inv(L)
        return cls(L, inverse, inverse.mT @ inverse)


@dataclass(frozen=True, eq=False)
class Patterns(Root):
    """C of each pattern, element by element; cost Σm³ over patterns and Σm² over groups.

    Attributes
    ----------
    stacks : by size.
    """

    stacks: tuple[Stack, ...]

    @classmethod
    def of(cls, joined: Joined, place: Places) -> Self:
        members: dict[int, dict[bytes, list[Codes]]] = defaultdict(lambda: defaultdict(list))
        for first, end in pairwise(joined.first.tolist()):
            rows = joined.order[first:end]
            key = joined.at[rows].tobytes() + joined.strata[rows[:1]].tobytes()
            if joined.kinds is not None:
                key += joined.kinds[rows].tobytes()
            members[end - first][key].append(rows)
        own = [_arranged(list(patterns.values())) for patterns in members.values()]
        ends = [_first_of_patterns(rows, first) for rows, _, first in own]
        places = [place(joined.at[i], joined.at[j]) for i, j in ends]
        none = np.zeros(0, dtype=np.int64)
        unique = Unique.of(
            np.concatenate([none, *places]), np.concatenate([none, *(joined.strata[i] for i, _ in ends)])
        )
        parts = np.split(unique.which, np.cumsum([len(each) for each in places])[:-1]) if own else []
        return cls(
            joined, unique, tuple(_stack(*each, which) for each, which in zip(own, parts, strict=True))
        )

    def factors(self, rho: Array) -> list[Factor]:
        """Of each stack; of the last rho that was asked for they are kept."""
        key = rho.tobytes()
        if (known := self._kept.get(key)) is not None:
            return known
        filled = np.append(rho, 1.0)  # −1 is the last, a row with itself
        found = [Factor.of(filled[stack.places]) for stack in self.stacks]
        self._kept.clear()  # another thread may ask for another rho meanwhile
        self._kept[key] = found
        return found

    @cached_property
    def _kept(self) -> dict[bytes, list[Factor]]:
        return {}

    def whiten(self, rho: Array, rows: Array) -> Array:
        return self._through(rows, [each.inverse for each in self.factors(rho)])

    def unwhiten(self, rho: Array, rows: Array) -> Array:
        return self._through(rows, [each.L for each in self.factors(rho)])

    def transposed(self, rho: Array, rows: Array) -> Array:
        return self._through(rows, [each.inverse.mT for each in self.factors(rho)])

    def untransposed(self, rho: Array, rows: Array) -> Array:
        return self._through(rows, [each.L.mT for each in self.factors(rho)])

    def _through(self, rows: Array, matrices: list[Array]) -> Array:
        out = np.empty(rows.shape)
        for stack, matrix in zip(self.stacks, matrices, strict=True):
            out[stack.rows] = matrix[stack.pattern] @ rows[stack.rows]
        return out

    def matrix(self, rho: Array) -> "csr_array":
        from scipy.sparse import csr_array

        n, parts = self.joined.n, []
        for stack, (_, inverse, _) in zip(self.stacks, self.factors(rho), strict=True):
            i, j = np.tril_indices(stack.rows.shape[1])
            parts.append((inverse[:, i, j][stack.pattern], stack.rows[:, i], stack.rows[:, j]))
        values, rows, columns = (
            np.concatenate([each.ravel() for each in own]) for own in zip(*parts, strict=True)
        )
        return csr_array((values, (rows, columns)), shape=(n, n))

    def pull(self, rho: Array, rows: Any, by_whitened: Any) -> Array:
        by_matrices = []
        for stack, (L, inverse, _) in zip(self.stacks, self.factors(rho), strict=True):
            products = np.add.reduceat(_products(by_whitened, rows, stack.rows), stack.first)
            by_factor = -np.tril(inverse.mT @ products @ inverse.mT)  # −L⁻ᵀ W̄ Wᵀ
            inner = np.tril(L.mT @ by_factor)
            inner *= 1 - 0.5 * np.eye(inner.shape[1])
            by_matrices.append(0.5 * inverse.mT @ (inner + inner.mT) @ inverse)
        return self.by_places(by_matrices)

    def by_places(self, by_matrices: list[Array]) -> Array:
        """Gradient in rho of a function of each stack's C, given its derivatives, symmetric (p, m, m)."""
        slopes = np.concatenate([np.zeros(0), *(each.ravel() for each in by_matrices)])
        return np.bincount(self._places, slopes, len(self.unique.places) + 1)[1:]

    @cached_property
    def _places(self) -> Codes:
        """Of every element of every pattern, counted from 1; 0 for a row with itself."""
        none = np.zeros(0, dtype=np.int64)
        return np.concatenate([none, *(stack.places.ravel() + 1 for stack in self.stacks)])

    def log_pivots(self, rho: Array) -> Array:
        out = np.empty(self.joined.n)
        for stack, (L, *_) in zip(self.stacks, self.factors(rho), strict=True):
            out[stack.rows] = 2 * np.log(np.diagonal(L, axis1=1, axis2=2))[stack.pattern]
        return out

    def log_det(self, rho: Array) -> float:
        pivots = [np.log(np.diagonal(L, axis1=1, axis2=2)) for L, *_ in self.factors(rho)]
        parts = [np.sum(stack.counts[:, 0] * own) for stack, own in zip(self.stacks, pivots, strict=True)]
        return 2 * float(sum(parts))

    def log_det_gradient(self, rho: Array) -> Array:
        factors = zip(self.stacks, self.factors(rho), strict=True)
        return self.by_places([stack.counts * each.precision for stack, each in factors])

    @property
    def reach(self) -> None:
        return None


def _arranged(patterns: list[list[Codes]]) -> tuple[Codes, Codes, Codes]:
    """Groups of one size, pattern by pattern: rows (g, m), pattern (g,) and the first of each (p,)."""
    counts = np.array([len(groups) for groups in patterns])
    rows = np.stack([own for groups in patterns for own in groups])
    return rows, np.repeat(np.arange(len(patterns)), counts), np.cumsum(counts) - counts


def _first_of_patterns(rows: Codes, first: Codes) -> tuple[Codes, Codes]:
    """Pairs i < j of rows of one group of each pattern, pattern by pattern."""
    i, j = np.triu_indices(rows.shape[1], 1)
    return rows[first][:, i].ravel(), rows[first][:, j].ravel()


def _stack(rows: Codes, pattern: Codes, first: Codes, which: Codes) -> Stack:
    m = rows.shape[1]
    places = np.full((len(first), m, m), -1)
    i, j = np.triu_indices(m, 1)
    places[:, i, j] = places[:, j, i] = which.reshape(len(first), -1)
    counts = np.bincount(pattern).astype(np.float64)[:, None, None]
    return Stack(rows, pattern, first, places, counts)


def _products(by: Any, rows: Any, members: Codes) -> Array:
    """W̄ rowsᵀ of each group, (g, m, m)."""
    if isinstance(rows, np.ndarray):
        return np.asarray(by[members] @ rows[members].mT)
    return np.array([(by[own] @ rows[own].T).toarray() for own in members])

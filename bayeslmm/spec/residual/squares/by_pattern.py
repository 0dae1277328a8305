"""Groups that share a pattern of places and kinds of rows."""

from dataclasses import dataclass, replace
from functools import cache, cached_property
from typing import TYPE_CHECKING, Self

import numpy as np

from bayeslmm.spec.residual.roots import Joined, Patterns
from bayeslmm.spec.residual.roots.base import Array, Codes, Places
from bayeslmm.spec.residual.roots.patterns import Stack

from .base import Combinations, ManySquares, Squares, Terms

if TYPE_CHECKING:
    from bayeslmm.kernel.problem.patterns import PatternRows


@dataclass(frozen=True, eq=False)
class ByPattern(Squares):
    """eᵀPe = Σ_i e_i² Σ_j P_ij − Σ_{i<j} P_ij (e_i − e_j)², P of each pattern.

    Attributes
    ----------
    root : of patterns in which kinds count. kinds : (p, m) of the rows of each stack's patterns.
    """

    root: Patterns
    kinds: tuple[Codes, ...]

    @classmethod
    def of(cls, joined: Joined, kinds: Codes, place: Places) -> Self:
        """Rows (n,) of these kinds in groups."""
        root = Patterns.of(replace(joined, kinds=kinds), place)
        parts = [_of_stack(stack) for stack in root.stacks]
        of_patterns = tuple(kinds[stack.rows[stack.first]] for stack in root.stacks)
        return cls(Combinations.of(joined.n, parts), root.unique, root, of_patterns)

    def coefficients(self, rho: Array, precisions: Array) -> Array:
        matrices = [
            each.precision * _outer(precisions[kinds])
            for each, kinds in zip(self.root.factors(rho), self.kinds, strict=True)
        ]
        return np.concatenate([(P.reshape(len(P), -1) @ _split(P.shape[1])).ravel() for P in matrices])

    def pull(self, rho: Array, precisions: Array, by_coefficients: Array) -> tuple[Array, Array]:
        by_C, by_precision, first = [], [np.zeros(0)], 0
        for each, kinds in zip(self.root.factors(rho), self.kinds, strict=True):
            p, m = kinds.shape
            split, C_inverse, s = _split(m), each.precision, precisions[kinds]
            own = by_coefficients[first : first + p * split.shape[1]].reshape(p, -1)
            by_P, first = (own @ split.T).reshape(p, m, m), first + own.size
            by_precision.append(2 * ((by_P * C_inverse) @ s[:, :, None]).ravel())
            by_C.append(-(C_inverse @ (by_P * _outer(s)) @ C_inverse))
        return self.root.by_places(by_C), np.bincount(
            self._all_kinds, np.concatenate(by_precision), len(precisions)
        )

    def many(self, rho: Array, precisions: Array) -> ManySquares:
        from bayeslmm.kernel.problem.patterns import squares_at

        return ManySquares(*squares_at(rho, precisions, self._patterns))

    @cached_property
    def _patterns(self) -> "PatternRows":
        from bayeslmm.kernel.problem.patterns import PatternRows

        stacks = self.root.stacks
        return PatternRows(
            np.concatenate([np.full(len(stack.first), stack.rows.shape[1]) for stack in stacks]),
            np.concatenate([stack.counts.ravel() for stack in stacks]),
            self._all_kinds,
            np.concatenate([stack.places.ravel() for stack in stacks]),
        )

    @cached_property
    def _all_kinds(self) -> Codes:
        return np.concatenate([np.zeros(0, dtype=np.int64), *(each.ravel() for each in self.kinds)])

    def information(self, rho: Array, by_rho: Array, by_log_sds: Array) -> tuple[Array, Array]:
        parts = []
        filled, none = np.append(rho, 1.0), np.zeros((len(by_rho), 1))
        slopes = np.hstack([by_rho, none])  # −1 is the last, a row with itself
        for stack, each, kinds in zip(self.root.stacks, self.root.factors(rho), self.kinds, strict=True):
            own = by_log_sds[:, kinds]
            moved = np.vstack(
                [slopes[:, stack.places], filled[stack.places] * (own[:, :, :, None] + own[:, :, None, :])]
            )
            parts.append(np.sqrt(stack.counts) * (each.inverse @ moved @ each.inverse.mT))
        counts = [np.sqrt(stack.counts) for stack in self.root.stacks]
        traces = [np.einsum("kpii,p->k", part, own[:, 0, 0]) for part, own in zip(parts, counts, strict=True)]
        flat = np.hstack([part.reshape(len(part), -1) for part in parts])
        return flat @ flat.T, np.sum(traces, axis=0)

    def strain(self, rho: Array) -> float:
        found = max((float(np.max(each.precision)) for each in self.root.factors(rho)), default=1.0)
        return np.inf if np.isnan(found) else found

    def log_det(self, rho: Array) -> float:
        return self.root.log_det(rho)

    def log_det_gradient(self, rho: Array) -> Array:
        return self.root.log_det_gradient(rho)


def _outer(s: Array) -> Array:
    return s[:, :, None] * s[:, None, :]


@cache
def _split(m: int) -> Array:
    """(m², m(m+1)/2) from P to its coefficients: sums of rows, then −P_ij, i < j."""
    each, (i, j) = np.eye(m), np.triu_indices(m, 1)
    pair = np.zeros((m, m, len(i)))
    pair[i, j, np.arange(len(i))] = pair[j, i, np.arange(len(i))] = -0.5
    return np.dstack([0.5 * (each[:, None] + each), pair]).reshape(m * m, -1)


def _of_stack(stack: Stack) -> tuple[Codes, int, Terms]:
    """Rows, then differences of pairs, pattern by pattern."""
    p, m = len(stack.first), stack.rows.shape[1]
    i, j = np.triu_indices(m, 1)
    first = stack.pattern[:, None] * (m + len(i))
    single, pair = first + np.arange(m), first + m + np.arange(len(i))
    terms = Terms.rows(stack.rows.ravel()).beside(
        Terms.differences(stack.rows[:, i].ravel(), stack.rows[:, j].ravel())
    )
    return np.append(single, pair), p * (m + len(i)), terms

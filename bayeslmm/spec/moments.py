"""Cross-products of rows by the classes of R⁻¹'s squares, from which a problem is made at any φ."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Self

import numpy as np
from numpy.typing import NDArray

from bayeslmm.kernel.problem import layout as at
from bayeslmm.kernel.problem.blocks import BlockRows
from bayeslmm.kernel.problem.crossproducts import Whitened
from bayeslmm.kernel.problem.entries import Entries, RowsByLevel, in_basis, sparse_rows
from bayeslmm.kernel.problem.layout import Problem
from bayeslmm.kernel.problem.relation import relate_tail

from .residual.squares.base import Combinations

if TYPE_CHECKING:
    from scipy.sparse import csr_array

type Array = NDArray[np.float64]
type Codes = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Moments:
    """G_k = Σ (b_tM)ᵀ(b_tM) of each class, M = [Z̃ Q r] in the coordinates of one problem.

    Attributes
    ----------
    problem : whose coordinates these are, made at some φ. products : (K, m) the G_k, each number once.
    places : which of the m each element of the problem's panels and tail is.
    """

    problem: Problem
    products: Array
    places: Codes

    @classmethod
    def of(cls, whitened: Whitened, problem: Problem, combinations: Combinations) -> Self:
        """Of the rows of a problem made at some φ."""
        plan, rows = whitened.observations.plan, _combined(whitened, combinations.matrix)
        places, lower = _places(problem)
        panels, dense = (np.array([each] * (len(combinations.first) - 1)) for each in plan.nothing())
        for number, part in enumerate(_by_class(rows, plan.ks, plan.first_level, combinations.first)):
            if plan.order:
                plan.add(panels[number], dense[number], part)
            dense[number, plan.q_tail :, plan.q_tail :] = part.right.T @ part.right
        blocks = [plan.blocks[b] for b in plan.tail]
        if any(block.known is not None for block in blocks):
            dense = np.array([relate_tail(np.tril(each) + np.tril(each, -1).T, blocks) for each in dense])
        return cls(problem, np.hstack([panels, dense[:, *lower]]), places)

    def at(self, coefficients: Array, log_det: float) -> Problem:
        """The problem at c (K,) and log|R|."""
        return self._of(coefficients @ self.products, log_det)

    def many(self, coefficients: Array, log_dets: Array) -> Iterator[Problem]:
        """The same at many c (m, K)."""
        return map(self._of, coefficients @ self.products, log_dets)

    def _of(self, numbers: Array, log_det: float) -> Problem:
        problem = self.problem._replace(floats=self.problem.floats.copy())
        problem.floats[self._numbers] = numbers[self.places]
        problem.constants[0] = log_det
        return problem

    def pull(self, by_panels: Array, by_tail: Array) -> Array:
        """Gradient in c (K,) of a function of a problem's panels and tail."""
        bars = np.append(by_panels, by_tail)
        return np.asarray(self.products @ np.bincount(self.places, bars, self.products.shape[1]))

    @property
    def _numbers(self) -> slice:
        ints = self.problem.ints
        return slice(int(ints[at.PANELS]), int(ints[at.RX]))


def stored(problem: Problem) -> int:
    """Different numbers among panels and tail."""
    width = len(problem.tail)
    return len(problem.panels) + width * (width + 1) // 2


def _places(problem: Problem) -> tuple[Codes, tuple[Codes, Codes]]:
    """Of panels and tail, each number of a lower triangle once; and where these are in it."""
    width, n_panel = len(problem.tail), len(problem.panels)
    lower = np.tril_indices(width)
    of_tail = np.empty((width, width), dtype=np.int64)
    of_tail[lower] = of_tail[lower[::-1]] = n_panel + np.arange(len(lower[0]))
    return np.append(np.arange(n_panel), of_tail), lower


def _combined(whitened: Whitened, matrix: "csr_array") -> RowsByLevel:
    """Combinations of the rows [Z̃ Q r], before whitening."""
    given, plan = whitened.observations, whitened.observations.plan
    entries = [
        _entries(given.blocks[b], white, matrix) for b, white in zip(plan.order, whitened.white, strict=True)
    ]
    right = np.asarray(matrix @ whitened.fit.unwhitened(given.y, given.X))
    return RowsByLevel.of(entries, plan.first_level, right)


def _entries(block: BlockRows, white: Array, matrix: "csr_array") -> Entries:
    Z = sparse_rows(None, block.codes, in_basis(block.columns, white), block.n_levels)
    held = sparse_rows(None, block.codes, np.ones_like(block.columns), block.n_levels)
    return Entries.of_sparse(matrix @ Z, abs(matrix) @ held, block.k)


def _by_class(rows: RowsByLevel, ks: Codes, first_level: Codes, first: Codes) -> Iterator[RowsByLevel]:
    """The rows of each class."""
    width = np.repeat(ks, np.diff(first_level))[rows.level] if len(rows.level) else np.zeros(0, np.int64)
    begins = np.append(0, np.cumsum(width))[rows.start]
    for a, b in pairwise(first.tolist()):
        e, f = rows.start[a], rows.start[b]
        yield RowsByLevel(
            rows.start[a : b + 1] - e, rows.level[e:f], rows.values[begins[a] : begins[b]], rows.right[a:b]
        )

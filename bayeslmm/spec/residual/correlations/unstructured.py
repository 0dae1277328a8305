"""A correlation of its own for each pair of visits."""

from dataclasses import dataclass
from functools import cache
from typing import Any, ClassVar

import numpy as np

from bayeslmm.spec.residual.structure import Array, Learnt, Natural, Usual
from bayeslmm.spec.residual.together import AnyMatrix

from .base import CorrelationStructure, Counts, pairs_of


@dataclass(frozen=True, eq=False)
class Unstructured(CorrelationStructure):
    """Any correlation matrix of the visits: rows of its factor are (φ, 1) over their length.

    Parameters
    ----------
    form : "AVISIT | USUBJID", visits being a factor's levels or whole numbers; "1 | g" for the order of rows.
    """

    keyword: ClassVar[str] = "Unstructured"
    counts: ClassVar[Counts] = Counts.LEVELS
    by_pair: ClassVar[bool] = True

    def parameters(self, learnt: Learnt) -> Natural:
        k, levels = len(learnt.levels), learnt.levels
        names = [f"cor[{learnt.name}: {levels[i]}, {levels[j]}]" for i, j in zip(*_pairs(k), strict=True)]
        return Natural(tuple(names), np.tile([-1.0, 1.0], (len(names), 1)))

    def natural(self, phi: Any, learnt: Learnt) -> Any:
        k = len(learnt.levels)
        return self._matrix(phi, k)[_pairs(k)]

    def usual_priors(self, learnt: Learnt, spread: float) -> tuple[Usual, ...]:
        return (Usual("LKJ", (2.0,)),)

    def together(self, learnt: Learnt) -> AnyMatrix:
        return AnyMatrix(f"cor[{learnt.name}]", len(learnt.levels))

    @staticmethod
    def _root(phi: Any, k: int) -> tuple[Any, Any]:
        """The factor (k, k), rows of length 1, and what their lengths were."""
        root = np.eye(k, dtype=phi.dtype)
        root[_below(k)] = phi
        length = np.sqrt(np.sum(root * root, axis=1))
        return root / length[:, None], length

    def _matrix(self, phi: Any, k: int) -> Any:
        root, _ = self._root(phi, k)
        return root @ root.T

    def free(self, natural: Array, learnt: Learnt) -> Array:
        k = len(learnt.levels)
        matrix = np.eye(k)
        matrix[_pairs(k)] = matrix[_pairs(k)[::-1]] = natural
        if np.linalg.eigvalsh(matrix)[0] <= 0:
            return np.full(len(natural), np.nan)
        root = np.linalg.cholesky(matrix)
        return np.asarray((root / np.diag(root)[:, None])[_below(k)])

    def at(self, phi: Any, places: Array, learnt: Learnt) -> Any:
        k = len(learnt.levels)
        return self._matrix(phi, k)[pairs_of(places, k)]

    def slopes(self, phi: Array, places: Array, learnt: Learnt) -> Array:
        """φ_ij moves row i of the factor U alone: dC_ib = (U_bj − U_ij C_ib)/length_i, b ≠ i."""
        k = len(learnt.levels)
        U, length = self._root(phi, k)
        i, j = (index[:, None] for index in _below(k))
        C, ends = U @ U.T, pairs_of(places, k)

        def moved(row: Any, other: Any) -> Array:
            return np.where(row == i, (U[other, j] - U[i, j] * C[i, other]) / length[i], 0.0)

        return np.asarray(moved(*ends) + moved(*ends[::-1]))


@cache
def _pairs(k: int) -> tuple[Any, Any]:
    """Pairs i < j, the first visit's first."""
    return np.triu_indices(k, 1)


@cache
def _below(k: int) -> tuple[Any, Any]:
    """Where φ is in the factor."""
    return np.tril_indices(k, -1)

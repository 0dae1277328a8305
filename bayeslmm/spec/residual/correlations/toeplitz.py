"""A correlation of its own for each number of steps."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from bayeslmm.spec.residual.structure import Array, Learnt, Natural, Usual
from bayeslmm.spec.residual.together import Partials

from .base import CorrelationStructure, Counts, pairs_of


@dataclass(frozen=True, eq=False)
class Toeplitz(CorrelationStructure):
    """One correlation for each number of visits between two, searched in atanh of partial autocorrelations.

    Parameters
    ----------
    form : "AVISIT | USUBJID", visits being a factor's levels or whole numbers; "1 | g" for the order of rows.
    """

    keyword: ClassVar[str] = "Toeplitz"
    counts: ClassVar[Counts] = Counts.LEVELS

    def parameters(self, learnt: Learnt) -> Natural:
        lags = range(1, len(learnt.levels))
        return Natural(
            tuple(f"cor[{learnt.name}: lag {lag}]" for lag in lags), np.tile([-1.0, 1.0], (len(lags), 1))
        )

    def natural(self, phi: Any, learnt: Learnt) -> Any:
        return autocorrelations(np.tanh(phi))

    def free(self, natural: Array, learnt: Learnt) -> Array:
        return np.arctanh(partial_autocorrelations(natural))

    def usual_priors(self, learnt: Learnt, spread: float) -> tuple[Usual, ...]:
        return (Usual("LKJ", (2.0,)),)

    def together(self, learnt: Learnt) -> Partials:
        left = np.arange(len(learnt.levels) - 1, 0, -1.0)  # visits after the first of a lag's partial one
        powers = np.column_stack([left - 1, left - 1])
        return Partials(f"cor[{learnt.name}]", left, powers, joined, partial_autocorrelations)

    def starts(self, learnt: Learnt) -> Array:
        lags = max(len(learnt.levels) - 1, 0)
        return np.vstack([np.zeros(lags), np.append(np.ones(min(lags, 1)), np.zeros(max(lags - 1, 0)))])

    def at(self, phi: Any, places: Array, learnt: Learnt) -> Any:
        low, high = pairs_of(places, len(learnt.levels))
        return np.append(np.ones(1), self.natural(phi, learnt))[high - low]


def autocorrelations(partial: Any) -> Any:
    """Autocorrelations (m,) at lags 1, ..., m of partial ones, by Durbin's and Levinson's recursion."""
    return np.array(joined(partial), dtype=partial.dtype)


def joined(partial: Sequence[Any]) -> list[Any]:
    """The same of scalars of any kind."""
    out: list[Any] = []
    weights: list[Any] = []
    left: Any = 1.0
    for own in partial:
        out.append(sum(w * past for w, past in zip(weights, reversed(out), strict=True)) + own * left)
        weights = [w - own * other for w, other in zip(weights, reversed(weights), strict=True)] + [own]
        left = left * (1 - own * own)
    return out


def partial_autocorrelations(correlations: Array) -> Array:
    """The inverse of `autocorrelations`; beyond 1 where the matrix isn't positive definite."""
    out, weights, left = [], np.zeros(0), 1.0
    for lag in range(len(correlations)):
        own = (correlations[lag] - weights @ correlations[:lag][::-1]) / left
        weights = np.append(weights - own * weights[::-1], own)
        left *= 1 - own * own
        out.append(own)
    return np.array(out)

"""First-order ante-dependence: a correlation for each visit with the one before."""

from dataclasses import dataclass
from itertools import pairwise
from typing import Any, ClassVar

import numpy as np

from bayeslmm.spec.residual.roots import Chain, Joined, Root
from bayeslmm.spec.residual.structure import Array, Learnt, Natural, Usual
from bayeslmm.spec.residual.together import Partials

from .base import CorrelationStructure, Counts, pairs_of


@dataclass(frozen=True, eq=False)
class AnteDependence(CorrelationStructure):
    """Each visit depends on the one before it, by a correlation of its own; distant ones are their product.

    Parameters
    ----------
    form : "AVISIT | USUBJID", visits being a factor's levels or whole numbers; "1 | g" for the order of rows.
    """

    keyword: ClassVar[str] = "AnteDependence"
    counts: ClassVar[Counts] = Counts.LEVELS
    by_pair: ClassVar[bool] = True

    def root(self, joined: Joined) -> type[Root]:
        return Chain

    def parameters(self, learnt: Learnt) -> Natural:
        levels = learnt.levels
        names = [f"cor[{learnt.name}: {a}, {b}]" for a, b in pairwise(levels)]
        return Natural(tuple(names), np.tile([-1.0, 1.0], (len(names), 1)))

    def natural(self, phi: Any, learnt: Learnt) -> Any:
        return np.tanh(phi)

    def free(self, natural: Array, learnt: Learnt) -> Array:
        return np.arctanh(natural)

    def usual_priors(self, learnt: Learnt, spread: float) -> tuple[Usual, ...]:
        return (Usual("LKJ", (2.0,)),)

    def together(self, learnt: Learnt) -> Partials:
        n = max(len(learnt.levels) - 1, 0)
        return Partials(f"cor[{learnt.name}]", np.ones(n), np.zeros((n, 2)), list, np.asarray)

    def starts(self, learnt: Learnt) -> Array:
        return np.outer([0.0, 1.0], np.ones(max(len(learnt.levels) - 1, 0)))

    def at(self, phi: Any, places: Array, learnt: Learnt) -> Any:
        k = len(learnt.levels)
        steps = np.tanh(phi)
        table = np.eye(k, dtype=phi.dtype)
        for i in range(k - 1):
            table[i, i + 1 :] = np.cumprod(steps[i:])
        return table[pairs_of(places, k)]

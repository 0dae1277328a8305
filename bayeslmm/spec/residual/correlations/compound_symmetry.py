"""One correlation between all rows of a group."""

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from bayeslmm.spec.residual.roots import Exchangeable, Joined, Root
from bayeslmm.spec.residual.structure import Array, Learnt, Natural, Usual, logistic, logit

from .base import CorrelationStructure, Counts


@dataclass(frozen=True, eq=False)
class CompoundSymmetry(CorrelationStructure):
    """Compound symmetry: one ρ between all rows of a group, above −1/(m − 1) for m rows of the largest.

    Parameters
    ----------
    form : "1 | Subject".
    """

    keyword: ClassVar[str] = "CompoundSymmetry"
    counts: ClassVar[Counts] = Counts.NOTHING

    def root(self, joined: Joined) -> type[Root]:
        return Exchangeable

    def parameters(self, learnt: Learnt) -> Natural:
        return Natural(("phi[CompoundSymmetry]",), np.array([[self._least(learnt), 1.0]]))

    @staticmethod
    def _least(learnt: Learnt) -> float:
        return -1.0 / max(learnt.most - 1, 1)

    def natural(self, phi: Any, learnt: Learnt) -> Any:
        least = self._least(learnt)
        return least + (1 - least) * logistic(phi)

    def free(self, natural: Array, learnt: Learnt) -> Array:
        least = self._least(learnt)
        return logit((natural - least) / (1 - least))

    def usual_priors(self, learnt: Learnt, spread: float) -> tuple[Usual, ...]:
        return (Usual("Beta", (2.0, 2.0, self._least(learnt), 1.0)),)

    def starts(self, learnt: Learnt) -> Array:
        return self.free(np.array([[0.2], [0.8], [0.3 * self._least(learnt)]]), learnt)

    def at(self, phi: Any, places: Array, learnt: Learnt) -> Any:
        return np.broadcast_to(self.natural(phi, learnt), places.shape)

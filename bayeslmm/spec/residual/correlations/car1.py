"""First-order autoregression in continuous time."""

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from bayeslmm.spec.residual.roots import Chain, Joined, Root
from bayeslmm.spec.residual.structure import Array, Learnt, Natural, Usual

from .base import CorrelationStructure, Counts


@dataclass(frozen=True, eq=False)
class CAR1(CorrelationStructure):
    """Autoregression in continuous time: φ^d between rows d apart, 0 < φ < 1.

    Searched in log(−1/log φ), in units of the median gap, so that the unit of time doesn't matter.

    Parameters
    ----------
    form : "Time | Rat"; "1 | Rat" for the order of rows.
    """

    keyword: ClassVar[str] = "CAR1"
    counts: ClassVar[Counts] = Counts.DISTANCE
    on_a_line: ClassVar[bool] = True

    def root(self, joined: Joined) -> type[Root]:
        return Chain

    def parameters(self, learnt: Learnt) -> Natural:
        return Natural(("phi[CAR1]",), np.array([[0.0, 1.0]]))

    def natural(self, phi: Any, learnt: Learnt) -> Any:
        return np.exp(-np.exp(-phi) / learnt.scale)

    def free(self, natural: Array, learnt: Learnt) -> Array:
        return np.asarray(-np.log(-np.log(natural) * learnt.scale))

    def usual_priors(self, learnt: Learnt, spread: float) -> tuple[Usual, ...]:
        """Of the correlation at the median gap it is Kumaraswamy(2, 2), whatever the unit of time."""
        return (Usual("Kumaraswamy", (2.0 * learnt.scale, 2.0)),)

    def starts(self, learnt: Learnt) -> Array:
        return np.array([[0.0], [2.0], [-1.0], [4.0]])

    def at(self, phi: Any, places: Array, learnt: Learnt) -> Any:
        return np.exp(-np.exp(-phi[0]) * (places / learnt.scale))

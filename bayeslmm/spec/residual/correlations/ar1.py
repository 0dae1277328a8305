"""First-order autoregression, by steps."""

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from bayeslmm.spec.residual.roots import Chain, Joined, Root
from bayeslmm.spec.residual.structure import Array, Learnt, Natural, Usual

from .base import CorrelationStructure, Counts


@dataclass(frozen=True, eq=False)
class AR1(CorrelationStructure):
    """Autoregression of order 1: φ^k between rows k steps apart, −1 < φ < 1.

    Parameters
    ----------
    form : "Time | Mare" with whole numbers, or a factor whose levels count; "1 | Mare" for the order of rows.
    """

    keyword: ClassVar[str] = "AR1"
    counts: ClassVar[Counts] = Counts.STEPS

    def root(self, joined: Joined) -> type[Root]:
        return Chain

    def parameters(self, learnt: Learnt) -> Natural:
        return Natural(("phi[AR1]",), np.array([[-1.0, 1.0]]))

    def natural(self, phi: Any, learnt: Learnt) -> Any:
        return np.tanh(phi)

    def free(self, natural: Array, learnt: Learnt) -> Array:
        return np.arctanh(natural)

    def usual_priors(self, learnt: Learnt, spread: float) -> tuple[Usual, ...]:
        return (Usual("Beta", (2.0, 2.0, -1.0, 1.0)),)

    def starts(self, learnt: Learnt) -> Array:
        return np.array([[0.0], [1.5], [-1.0], [3.0]])

    def at(self, phi: Any, places: Array, learnt: Learnt) -> Any:
        return whole_power(np.tanh(phi[0]), places)


def whole_power(base: Any, steps: Array) -> Any:
    """base^k for whole k ≥ 0, analytic in a base of any sign: an odd factor, and powers of its square."""
    half = np.floor(0.5 * steps)
    return np.where(steps > 2 * half, base, 1.0) * (base * base) ** half

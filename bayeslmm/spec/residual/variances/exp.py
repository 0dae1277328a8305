"""A standard deviation that is exponential in a column."""

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from bayeslmm.spec.residual.structure import Array, Learnt, Natural, Usual

from .base import VarianceFunction


@dataclass(frozen=True, eq=False)
class Exp(VarianceFunction):
    """The standard deviation is σ exp(δv); searched in units of v's spread.

    Parameters
    ----------
    form : the column v.
    of : "fitted" for the fitted values instead: a fixed point, at which R is of its own fitted values.
    """

    keyword: ClassVar[str] = "Exp"

    def parameters(self, learnt: Learnt) -> Natural:
        return Natural((f"delta[Exp: {learnt.name}]",), np.array([[-np.inf, np.inf]]))

    def natural(self, phi: Any, learnt: Learnt) -> Any:
        return phi / learnt.scale

    def free(self, natural: Array, learnt: Learnt) -> Array:
        return natural * learnt.scale

    def usual_priors(self, learnt: Learnt, spread: float) -> tuple[Usual, ...]:
        return (Usual("Normal", (0.0, 1.0 / learnt.scale)),)

    def starts(self, learnt: Learnt) -> Array:
        return np.array([[0.0], [0.7], [-0.7]])

    def log_sds(self, delta: Any, values: Array, learnt: Learnt) -> Any:
        return delta[0] * (values / learnt.scale)

"""A standard deviation that is a power of a column."""

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from bayeslmm.spec.residual.structure import Array, Learnt, Natural, Usual

from .base import Reads, VarianceFunction


@dataclass(frozen=True, eq=False)
class Power(VarianceFunction):
    """The standard deviation is σ|v|^δ.

    Parameters
    ----------
    form : the column v, nowhere 0.
    of : "fitted" for the fitted values instead: a fixed point, at which R is of its own fitted values.
    """

    keyword: ClassVar[str] = "Power"
    reads: ClassVar[Reads] = Reads.NONZERO

    def parameters(self, learnt: Learnt) -> Natural:
        return Natural((f"delta[Power: {learnt.name}]",), np.array([[-np.inf, np.inf]]))

    def natural(self, phi: Any, learnt: Learnt) -> Any:
        return phi

    def free(self, natural: Array, learnt: Learnt) -> Array:
        return natural

    def usual_priors(self, learnt: Learnt, spread: float) -> tuple[Usual, ...]:
        return (Usual("Normal", (0.0, 1.0)),)

    def starts(self, learnt: Learnt) -> Array:
        return np.array([[0.0], [1.0], [-1.0]])

    def log_sds(self, delta: Any, values: Array, learnt: Learnt) -> Any:
        return delta[0] * np.log(np.abs(values))

"""A standard deviation that is exponential in a column."""

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from bayeslmm.errors import DataError
from bayeslmm.spec.residual.structure import Array, Learnt, Natural, Usual

from .base import VarianceFunction

FAR = 1000.0  # of a column's standard deviations from 0, where squares of its exponentials may overflow


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

    def check(self, name: str, values: Array) -> None:
        farthest, spread = np.abs(values).max(), np.std(values)
        if 0 < spread < farthest / FAR:
            raise DataError(
                f"{self.keyword}: {name!r} lies {farthest / spread:.0f} of its standard deviations from 0, "
                "and sigma is the residual's where it is 0, which is beyond floating point; subtract its mean"
            )

    def log_sds(self, delta: Any, values: Array, learnt: Learnt) -> Any:
        return delta[0] * (values / learnt.scale)

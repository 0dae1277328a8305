"""A standard deviation that is a constant and a power of a column."""

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from bayeslmm.spec.residual.structure import Array, Learnt, Natural, Usual

from .base import Reads, VarianceFunction


@dataclass(frozen=True, eq=False)
class ConstantPower(VarianceFunction):
    """The standard deviation is ``σ(c + |v|^δ)``, c > 0; searched in log c.

    Parameters
    ----------
    form : the column v, nowhere 0.
    of : "fitted" for the fitted values instead: a fixed point, at which R is of its own fitted values.
    """

    keyword: ClassVar[str] = "ConstantPower"
    reads: ClassVar[Reads] = Reads.NONZERO

    def parameters(self, learnt: Learnt) -> Natural:
        names = (f"delta[ConstantPower: {learnt.name}, constant]", f"delta[ConstantPower: {learnt.name}]")
        return Natural(names, np.array([[0.0, np.inf], [-np.inf, np.inf]]))

    def natural(self, phi: Any, learnt: Learnt) -> Any:
        return np.concatenate([np.exp(phi[:1]), phi[1:]])

    def free(self, natural: Array, learnt: Learnt) -> Array:
        return np.concatenate([np.log(natural[:1]), natural[1:]])

    def usual_priors(self, learnt: Learnt, spread: float) -> tuple[Usual, ...]:
        return Usual("LogNormal", (0.0, 2.0)), Usual("Normal", (0.0, 1.0))

    def starts(self, learnt: Learnt) -> Array:
        return np.array([[np.log(learnt.scale) * power, power] for power in (0.5, 1.0, -0.5, 2.0)])

    def log_sds(self, delta: Any, values: Array, learnt: Learnt) -> Any:
        return np.log(np.exp(delta[0]) + np.exp(delta[1] * np.log(np.abs(values))))

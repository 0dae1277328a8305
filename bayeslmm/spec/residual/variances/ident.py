"""A standard deviation of its own for each level."""

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from bayeslmm.spec.residual.structure import Array, Learnt, Natural, Usual

from .base import Reads, VarianceFunction


@dataclass(frozen=True, eq=False)
class Ident(VarianceFunction):
    """Each level of a factor has its own standard deviation; σ is that of the first.

    Parameters
    ----------
    form : the factor's column, or several joined by ":".
    """

    keyword: ClassVar[str] = "Ident"
    reads: ClassVar[Reads] = Reads.LEVELS
    absolute: ClassVar[bool] = True

    def parameters(self, learnt: Learnt) -> Natural:
        names = tuple(f"sd[{learnt.name}: {level}]" for level in learnt.levels[1:])
        return Natural(names, np.tile([0.0, np.inf], (len(names), 1)))

    def natural(self, phi: Any, learnt: Learnt) -> Any:
        """Over σ."""
        return np.exp(phi)

    def free(self, natural: Array, learnt: Learnt) -> Array:
        return np.log(natural)

    def usual_priors(self, learnt: Learnt, spread: float) -> tuple[Usual, ...]:
        """Of the absolute ones, as σ's."""
        return (Usual("HalfStudentT", (4.0, spread)),) * len(learnt.levels[1:])

    def log_sds(self, delta: Any, values: Array, learnt: Learnt) -> Any:
        return np.append(np.zeros(1), delta)[values.astype(np.int64)]

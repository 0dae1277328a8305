"""A variance proportional to a column."""

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from bayeslmm.spec.residual.structure import Array, Learnt, Natural, Usual

from .base import Reads, VarianceFunction


@dataclass(frozen=True, eq=False)
class Fixed(VarianceFunction):
    """The variance is σ² times a column; it has no parameter.

    Parameters
    ----------
    form : the column, positive.
    """

    keyword: ClassVar[str] = "Fixed"
    reads: ClassVar[Reads] = Reads.POSITIVE

    def parameters(self, learnt: Learnt) -> Natural:
        return Natural((), np.zeros((0, 2)))

    def natural(self, phi: Any, learnt: Learnt) -> Any:
        return phi

    def free(self, natural: Array, learnt: Learnt) -> Array:
        return natural

    def usual_priors(self, learnt: Learnt, spread: float) -> tuple[Usual, ...]:
        return ()

    def log_sds(self, delta: Any, values: Array, learnt: Learnt) -> Any:
        return 0.5 * np.log(values)

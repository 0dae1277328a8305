"""The flat prior."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import ArrayLike

from bayeslmm.errors import PriorError

from .base import Array, Distribution, Prior, Quadratic


@dataclass(frozen=True)
class Flat(Prior):
    """Density 1 everywhere: improper; on a standard deviation, 1 from 0 upwards."""

    support = "any"
    proper = False
    distribution = "Flat"
    variables: ClassVar = {"Flat": (), "HalfFlat": ()}

    def logpdf(self, x: ArrayLike) -> Array:
        return np.zeros(np.shape(x))

    def draw(self, generator: np.random.Generator, n: int) -> Array:
        raise PriorError("a flat prior has no draws; give a proper one")

    @property
    def quadratic(self) -> Quadratic:
        return Quadratic(0.0, 0.0, 0.0)

    def stated(self, positive: bool) -> Distribution:
        return Distribution("HalfFlat" if positive else self.distribution, {})

    def __str__(self) -> str:
        return "Flat"

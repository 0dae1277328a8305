"""The double exponential prior."""

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import ArrayLike

from .base import Array, Prior


@dataclass(frozen=True)
class Laplace(Prior):
    """Double exponential about `loc`."""

    loc: float
    scale: float
    support = "real"
    positive = ("scale",)
    in_units = ("loc", "scale")
    distribution = "Laplace"
    keywords: ClassVar = {"mu": "loc", "b": "scale"}
    variables: ClassVar = {"Laplace": ("mu", "b")}

    def logpdf(self, x: ArrayLike) -> Array:
        return -np.abs(np.asarray(x, dtype=float) - self.loc) / self.scale - math.log(2 * self.scale)

    def scipy_logpdf(self, x: Array) -> Array:
        from scipy import stats

        # the generalized normal of shape 1: SciPy's own Laplace is the log of a density that underflows
        return np.asarray(stats.gennorm.logpdf(x, 1.0, self.loc, self.scale))

    def draw(self, generator: np.random.Generator, n: int) -> Array:
        return generator.laplace(self.loc, self.scale, n)

"""The half-normal prior."""

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import ArrayLike

from .base import Array, Prior, within
from .normal import Normal


@dataclass(frozen=True)
class HalfNormal(Prior):
    """``|x|`` of a normal about 0 with standard deviation `scale`."""

    scale: float
    support = "positive"
    positive = ("scale",)
    in_units = ("scale",)
    distribution = "HalfNormal"
    keywords: ClassVar = {"sigma": "scale"}
    variables: ClassVar = {"HalfNormal": (None, "sigma")}

    def logpdf(self, x: ArrayLike) -> Array:
        return within(x, self.bounds, Normal(0.0, self.scale).logpdf(x) + math.log(2))

    def scipy_logpdf(self, x: Array) -> Array:
        from scipy import stats

        return np.asarray(stats.halfnorm.logpdf(x, scale=self.scale))

    def draw(self, generator: np.random.Generator, n: int) -> Array:
        return self.scale * np.abs(generator.standard_normal(n))

    @property
    def wall(self) -> float:
        return self.scale

"""The normal prior."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import ArrayLike

from .base import HALF_LOG_2PI, Array, Prior, Quadratic


@dataclass(frozen=True)
class Normal(Prior):
    """Normal(mean, sd)."""

    mean: float
    sd: float
    support = "real"
    positive = ("sd",)
    in_units = ("mean", "sd")
    distribution = "Normal"
    keywords: ClassVar = {"mu": "mean", "sigma": "sd"}
    variables: ClassVar = {"Normal": ("mu", "sigma")}

    def logpdf(self, x: ArrayLike) -> Array:
        z = (np.asarray(x, dtype=float) - self.mean) / self.sd
        return -0.5 * z**2 - math.log(self.sd) - HALF_LOG_2PI

    def scipy_logpdf(self, x: Array) -> Array:
        from scipy import stats

        return np.asarray(stats.norm.logpdf(x, self.mean, self.sd))

    def draw(self, generator: np.random.Generator, n: int) -> Array:
        return generator.normal(self.mean, self.sd, n)

    @property
    def quadratic(self) -> Quadratic:
        """Constant −½(log 2π + log s² + m²/s²)."""
        return Quadratic(self.sd**-2, self.mean * self.sd**-2, float(self.logpdf(0.0)))

    @classmethod
    def read(cls, name: str, arguments: Mapping[str, float]) -> "Normal":
        return cls(arguments.get("mu", 0.0), arguments["sigma"])

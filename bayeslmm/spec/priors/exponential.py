"""The exponential prior."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import ArrayLike

from .base import Array, Prior, within


@dataclass(frozen=True)
class Exponential(Prior):
    """Exponential with mean `scale`."""

    scale: float
    support = "positive"
    positive = ("scale",)
    in_units = ("scale",)
    distribution = "Exponential"
    keywords: ClassVar = {"scale": "scale"}
    variables: ClassVar = {"Exponential": ("scale",)}

    def logpdf(self, x: ArrayLike) -> Array:
        return within(x, self.bounds, -np.asarray(x, dtype=float) / self.scale - math.log(self.scale))

    def scipy_logpdf(self, x: Array) -> Array:
        from scipy import stats

        return np.asarray(stats.expon.logpdf(x, scale=self.scale))

    def draw(self, generator: np.random.Generator, n: int) -> Array:
        return generator.exponential(self.scale, n)

    @property
    def wall(self) -> float:
        return self.scale

    @classmethod
    def read(cls, name: str, arguments: Mapping[str, float]) -> "Exponential":
        return cls(arguments["scale"] if "scale" in arguments else 1 / arguments["lam"])

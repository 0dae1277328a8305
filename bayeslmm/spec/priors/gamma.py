"""The gamma prior."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike

from .base import Array, Prior, within


@dataclass(frozen=True)
class Gamma(Prior):
    """Gamma with mean shape/rate; with shape > 1 it keeps a standard deviation off 0."""

    shape: float
    rate: float
    support = "positive"
    positive = ("shape", "rate")
    distribution = "Gamma"
    keywords: ClassVar = {"alpha": "shape", "beta": "rate"}
    variables: ClassVar = {"Gamma": ("alpha", "scale")}

    def logpdf(self, x: ArrayLike) -> Array:
        values = np.asarray(x, dtype=float)
        constant = self.shape * math.log(self.rate) - math.lgamma(self.shape)
        with np.errstate(divide="ignore", invalid="ignore"):
            power = np.where(values == 0, self._power_at_zero, (self.shape - 1) * np.log(values))
        return within(x, self.bounds, constant + power - self.rate * values)

    @property
    def _power_at_zero(self) -> float:
        """(shape − 1) log x at 0."""
        return 0.0 if self.shape == 1 else math.copysign(math.inf, 1 - self.shape)

    def scipy_logpdf(self, x: Array) -> Array:
        from scipy import stats

        return np.asarray(stats.gamma.logpdf(x, self.shape, scale=1 / self.rate))

    def draw(self, generator: np.random.Generator, n: int) -> Array:
        return generator.gamma(self.shape, 1 / self.rate, n)

    @property
    def wall(self) -> float:
        return self.shape / self.rate

    def rescaled(self, factor: float) -> Self:
        return replace(self, rate=self.rate / factor)

    @classmethod
    def read(cls, name: str, arguments: Mapping[str, float]) -> "Gamma":
        if "scale" in arguments:
            return cls(arguments["alpha"], 1 / arguments["scale"])
        if "mu" in arguments:
            rate = arguments["mu"] / arguments["sigma"] ** 2
            return cls(arguments["mu"] * rate, rate)
        return cls(arguments["alpha"], arguments["beta"])

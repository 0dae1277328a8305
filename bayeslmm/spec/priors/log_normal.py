"""The log-normal prior."""

import math
from dataclasses import dataclass, replace
from typing import ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike

from .base import Array, Prior, within
from .normal import Normal


@dataclass(frozen=True)
class LogNormal(Prior):
    """log x is Normal(mean, sd); the median is exp(mean)."""

    mean: float
    sd: float
    support = "positive"
    positive = ("sd",)
    distribution = "LogNormal"
    keywords: ClassVar = {"mu": "mean", "sigma": "sd"}
    variables: ClassVar = {"LogNormal": ("mu", "sigma")}

    def logpdf(self, x: ArrayLike) -> Array:
        values = np.asarray(x, dtype=float)
        with np.errstate(divide="ignore", invalid="ignore"):
            log_x = np.log(values)
            density = Normal(self.mean, self.sd).logpdf(log_x) - log_x
        return within(x, self.bounds, np.where(values == 0, -np.inf, density))

    def scipy_logpdf(self, x: Array) -> Array:
        from scipy import stats

        return np.asarray(stats.lognorm.logpdf(x, self.sd, scale=math.exp(self.mean)))

    def draw(self, generator: np.random.Generator, n: int) -> Array:
        return generator.lognormal(self.mean, self.sd, n)

    def rescaled(self, factor: float) -> Self:
        return replace(self, mean=self.mean + math.log(factor))

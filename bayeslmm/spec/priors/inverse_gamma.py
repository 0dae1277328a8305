"""The inverse-gamma prior."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import ArrayLike

from .base import Array, Prior, within


@dataclass(frozen=True)
class InverseGamma(Prior):
    """1/x of a gamma with this shape and rate `scale`: mean scale/(shape − 1), mode scale/(shape + 1).

    It is a prior of the standard deviation itself, as in brms; WinBUGS's and MCMCglmm's is of the variance.
    """

    shape: float
    scale: float
    support = "positive"
    positive = ("shape", "scale")
    in_units = ("scale",)
    distribution = "InverseGamma"
    keywords: ClassVar = {"alpha": "shape", "beta": "scale"}
    variables: ClassVar = {"InverseGamma": ("alpha", "beta")}

    def logpdf(self, x: ArrayLike) -> Array:
        values = np.asarray(x, dtype=float)
        constant = self.shape * math.log(self.scale) - math.lgamma(self.shape)
        with np.errstate(divide="ignore", invalid="ignore"):
            density = constant - (self.shape + 1) * np.log(values) - self.scale / values
        return within(x, self.bounds, np.where(values == 0, -np.inf, density))

    def scipy_logpdf(self, x: Array) -> Array:
        from scipy import stats

        return np.asarray(stats.invgamma.logpdf(x, self.shape, scale=self.scale))

    def draw(self, generator: np.random.Generator, n: int) -> Array:
        return self.scale / generator.gamma(self.shape, 1.0, n)

    @classmethod
    def read(cls, name: str, arguments: Mapping[str, float]) -> "InverseGamma":
        if "mu" not in arguments:
            return cls(arguments["alpha"], arguments["beta"])
        shape = 2 + (arguments["mu"] / arguments["sigma"]) ** 2
        return cls(shape, arguments["mu"] * (shape - 1))

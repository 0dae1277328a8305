"""The prior of a correlation that is raised to the power of a distance."""

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import ArrayLike

from .base import Array, Prior, within


@dataclass(frozen=True)
class Kumaraswamy(Prior):
    """x in (0, 1) of which x^a is Beta(1, b) (Kumaraswamy 1980): x^c has the same family, with a/c for a."""

    a: float
    b: float
    support = "share"
    positive = ("a", "b")
    distribution = "Kumaraswamy"
    keywords: ClassVar = {"a": "a", "b": "b"}
    variables: ClassVar = {"Kumaraswamy": ("a", "b")}

    @property
    def bounds(self) -> tuple[float, float]:
        return 0.0, 1.0

    def logpdf(self, x: ArrayLike) -> Array:
        from scipy.special import xlog1py, xlogy

        values = np.asarray(x, dtype=float)
        with np.errstate(invalid="ignore", divide="ignore"):
            density = xlogy(self.a - 1, values) + xlog1py(self.b - 1, -(values**self.a))
        return within(x, self.bounds, density + math.log(self.a * self.b))

    def scipy_logpdf(self, x: Array) -> Array:
        from scipy import special, stats

        with np.errstate(divide="ignore", invalid="ignore"):
            log_slope = math.log(self.a) + special.xlogy(self.a - 1, x)
            density = stats.beta.logpdf(x**self.a, 1.0, self.b) + log_slope
        return np.asarray(np.where(x < 0, -np.inf, density))

    def draw(self, generator: np.random.Generator, n: int) -> Array:
        return generator.beta(1.0, self.b, n) ** (1 / self.a)

"""The uniform prior."""

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import ArrayLike

from bayeslmm.errors import PriorError

from .base import Array, Prior, within


@dataclass(frozen=True)
class Uniform(Prior):
    """Equal density from `lower` to `upper`, none elsewhere; on a standard deviation lower ≥ 0."""

    lower: float
    upper: float
    support = "any"
    in_units = ("lower", "upper")
    distribution = "Uniform"
    keywords: ClassVar = {"lower": "lower", "upper": "upper"}
    variables: ClassVar = {"Uniform": ("lower", "upper")}

    def __post_init__(self) -> None:
        """Check the parameters.

        Raises
        ------
        PriorError
            When one isn't a finite number, or upper isn't above lower.
        """
        Prior.__post_init__(self)
        if self.upper <= self.lower:
            raise PriorError(f"Uniform: upper is {self.upper!r}; it must be above lower, {self.lower!r}")

    @property
    def bounds(self) -> tuple[float, float]:
        return self.lower, self.upper

    def logpdf(self, x: ArrayLike) -> Array:
        return within(x, self.bounds, -math.log(self.upper - self.lower))

    def scipy_logpdf(self, x: Array) -> Array:
        from scipy import stats

        return np.asarray(stats.uniform.logpdf(x, self.lower, self.upper - self.lower))

    def draw(self, generator: np.random.Generator, n: int) -> Array:
        return generator.uniform(self.lower, self.upper, n)

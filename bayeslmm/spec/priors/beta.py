"""The beta prior, between any two ends."""

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import ArrayLike

from bayeslmm.errors import PriorError

from .base import Array, Prior, within


@dataclass(frozen=True)
class Beta(Prior):
    """x, carried from (`lower`, `upper`) to (0, 1), is Beta(alpha, beta)."""

    alpha: float
    beta: float
    lower: float = 0.0
    upper: float = 1.0
    support = "share"
    in_units = ("lower", "upper")
    positive = ("alpha", "beta")
    distribution = "Beta"
    keywords: ClassVar = {"alpha": "alpha", "beta": "beta"}
    variables: ClassVar = {"Beta": ("alpha", "beta")}

    def __post_init__(self) -> None:
        """Check the parameters.

        Raises
        ------
        PriorError
            When one isn't a finite number, alpha or beta isn't positive, or upper isn't above lower.
        """
        Prior.__post_init__(self)
        if self.upper <= self.lower:
            raise PriorError(f"Beta: upper is {self.upper!r}; it must be above lower, {self.lower!r}")

    @property
    def bounds(self) -> tuple[float, float]:
        return self.lower, self.upper

    @property
    def stretched(self) -> tuple[float, float] | None:
        return None if self.bounds == (0.0, 1.0) else (self.lower, self.upper - self.lower)

    def logpdf(self, x: ArrayLike) -> Array:
        from scipy.special import xlog1py, xlogy

        unit = (np.asarray(x, dtype=float) - self.lower) / (self.upper - self.lower)
        log_beta = math.lgamma(self.alpha) + math.lgamma(self.beta) - math.lgamma(self.alpha + self.beta)

        with np.errstate(invalid="ignore", divide="ignore"):
            density = xlogy(self.alpha - 1, unit) + xlog1py(self.beta - 1, -unit) - log_beta
        return within(x, self.bounds, density - math.log(self.upper - self.lower))

    def scipy_logpdf(self, x: Array) -> Array:
        from scipy import stats

        return np.asarray(stats.beta.logpdf(x, self.alpha, self.beta, self.lower, self.upper - self.lower))

    def draw(self, generator: np.random.Generator, n: int) -> Array:
        return self.lower + (self.upper - self.lower) * generator.beta(self.alpha, self.beta, n)

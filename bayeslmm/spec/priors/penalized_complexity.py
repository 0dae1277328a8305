"""The penalized complexity prior of a standard deviation."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from bayeslmm.errors import PriorError

from .base import Array, Distribution, Prior
from .exponential import Exponential


@dataclass(frozen=True)
class PenalizedComplexity(Prior):
    """Exponential with P(x > upper) = alpha (Simpson et al. 2017)."""

    upper: float
    alpha: float
    support = "positive"
    positive = ("upper", "alpha")
    in_units = ("upper",)
    distribution = "Exponential"

    def __post_init__(self) -> None:
        """Check the parameters.

        Raises
        ------
        PriorError
            When alpha isn't a probability, or upper isn't positive.
        """
        Prior.__post_init__(self)
        if self.alpha >= 1:
            raise PriorError(
                f"PenalizedComplexity: alpha is {self.alpha!r}; it must be a probability below 1"
            )

    @property
    def exponential(self) -> Exponential:
        """The same as an exponential prior."""
        return Exponential(-self.upper / math.log(self.alpha))

    def logpdf(self, x: ArrayLike) -> Array:
        return self.exponential.logpdf(x)

    def scipy_logpdf(self, x: Array) -> Array:
        from scipy import stats

        return np.asarray(stats.expon.logpdf(x, scale=self.upper / -math.log(self.alpha)))

    def draw(self, generator: np.random.Generator, n: int) -> Array:
        return self.exponential.draw(generator, n)

    @property
    def wall(self) -> float:
        return self.exponential.wall

    def stated(self, positive: bool) -> Distribution:
        return self.exponential.stated(positive)

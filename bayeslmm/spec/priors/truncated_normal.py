"""The truncated normal prior."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import ArrayLike

from bayeslmm.errors import PriorError

from .base import HALF_LOG_2PI, Array, Distribution, Prior, within
from .normal import Normal

NEAR = 3.0  # half the distance of bounds in sds, and the change of log density on the way
NODES = 40


@dataclass(frozen=True)
class TruncatedNormal(Prior):
    """Normal(mean, sd) given that it lies between `lower` and `upper`.

    Truncated at 0, the default, it is what brms makes of a normal prior of a standard deviation.
    """

    mean: float
    sd: float
    lower: float = 0.0
    upper: float = math.inf
    support = "any"
    positive = ("sd",)
    unbounded = ("lower", "upper")
    in_units = ("mean", "sd", "lower", "upper")
    distribution = "TruncatedNormal"
    variables: ClassVar = {"TruncatedNormal": ("mu", "sigma", "lower", "upper")}

    def __post_init__(self) -> None:
        """Check the parameters.

        Raises
        ------
        PriorError
            When one isn't a number, sd isn't positive, upper isn't above lower, or nothing lies between them.
        """
        Prior.__post_init__(self)
        if self.upper <= self.lower:
            raise PriorError(
                f"TruncatedNormal: upper is {self.upper!r}; it must be above lower, {self.lower!r}"
            )
        if not math.isfinite(self._log_share):
            raise PriorError(f"{self}: the normal has no mass between lower and upper; move its mean")

    @property
    def bounds(self) -> tuple[float, float]:
        return self.lower, self.upper

    @property
    def _log_share(self) -> float:
        """Log of the normal's mass between the bounds, from the tail that loses no digits.

        Where density differs little between near bounds, by a Gauss-Legendre rule about their middle.
        """
        from scipy.special import log_ndtr, roots_legendre

        half = 0.5 * (self.upper - self.lower) / self.sd
        middle = self._standard(0.5 * self.lower + 0.5 * self.upper)
        if half < NEAR and half * abs(middle) < NEAR:
            t, w = roots_legendre(NODES)
            mass = half * (w @ np.exp(-half * t * (middle + 0.5 * half * t)))
            return float(np.log(mass) - 0.5 * middle**2 - HALF_LOG_2PI)
        a, b = sorted((self._standard(self.lower), self._standard(self.upper)))
        low, high = (a, b) if a + b <= 0 else (-b, -a)
        with np.errstate(divide="ignore", invalid="ignore"):
            return float(log_ndtr(high) + np.log1p(-np.exp(log_ndtr(low) - log_ndtr(high))))

    def _standard(self, x: float) -> float:
        return (x - self.mean) / self.sd

    def logpdf(self, x: ArrayLike) -> Array:
        return within(x, self.bounds, Normal(self.mean, self.sd).logpdf(x) - self._log_share)

    def scipy_logpdf(self, x: Array) -> Array:
        from scipy import stats

        bounds = self._standard(self.lower), self._standard(self.upper)
        return np.asarray(stats.truncnorm.logpdf(x, *bounds, self.mean, self.sd))

    def draw(self, generator: np.random.Generator, n: int) -> Array:
        from scipy.stats import truncnorm

        bounds = self._standard(self.lower), self._standard(self.upper)
        drawn: Array = truncnorm.rvs(*bounds, self.mean, self.sd, size=n, random_state=generator)
        return drawn

    @property
    def wall(self) -> float | None:
        return math.hypot(self.mean, self.sd) if self.bounds == (0.0, math.inf) else None

    def stated(self, positive: bool) -> Distribution:
        bounds = {"lower": self.lower, "upper": self.upper}
        finite = {name: value for name, value in bounds.items() if math.isfinite(value)}
        return Distribution(self.distribution, {"mu": self.mean, "sigma": self.sd, **finite})

    @classmethod
    def read(cls, name: str, arguments: Mapping[str, float]) -> "TruncatedNormal":
        bounds = arguments.get("lower", -math.inf), arguments.get("upper", math.inf)
        return cls(arguments.get("mu", 0.0), arguments["sigma"], *bounds)

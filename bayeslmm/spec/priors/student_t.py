"""Student's t as a prior."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import ArrayLike

from .base import Array, Prior


@dataclass(frozen=True)
class StudentT(Prior):
    """Student's t with `df` degrees of freedom about `loc`; a Cauchy prior has one."""

    df: float
    loc: float
    scale: float
    support = "real"
    positive = ("df", "scale")
    in_units = ("loc", "scale")
    distribution = "StudentT"
    keywords: ClassVar = {"nu": "df", "mu": "loc", "sigma": "scale"}
    variables: ClassVar = {
        "StudentT": ("nu", "mu", "sigma"),
        "Cauchy": ("alpha", "beta"),
    }

    def logpdf(self, x: ArrayLike) -> Array:
        z = (np.asarray(x, dtype=float) - self.loc) / self.scale
        constant = (
            math.lgamma((self.df + 1) / 2) - math.lgamma(self.df / 2) - 0.5 * math.log(math.pi * self.df)
        )
        return constant - math.log(self.scale) - (self.df + 1) / 2 * np.log1p(z**2 / self.df)

    def scipy_logpdf(self, x: Array) -> Array:
        from scipy import stats

        return np.asarray(stats.t.logpdf(x, self.df, self.loc, self.scale))

    def draw(self, generator: np.random.Generator, n: int) -> Array:
        return self.loc + self.scale * generator.standard_t(self.df, n)

    @classmethod
    def read(cls, name: str, arguments: Mapping[str, float]) -> "StudentT":
        if name == "Cauchy":
            return cls(1.0, arguments["alpha"], arguments["beta"])
        return cls(arguments["nu"], arguments.get("mu", 0.0), arguments["sigma"])

"""The half-t prior."""

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import ArrayLike

from .base import Array, Prior, within
from .student_t import StudentT


@dataclass(frozen=True)
class HalfStudentT(Prior):
    """``|x|`` of a Student's t about 0."""

    df: float
    scale: float
    support = "positive"
    positive = ("df", "scale")
    in_units = ("scale",)
    distribution = "HalfStudentT"
    keywords: ClassVar = {"nu": "df", "sigma": "scale"}
    variables: ClassVar = {"HalfStudentT": ("nu", "sigma")}

    def logpdf(self, x: ArrayLike) -> Array:
        return within(x, self.bounds, StudentT(self.df, 0.0, self.scale).logpdf(x) + math.log(2))

    def scipy_logpdf(self, x: Array) -> Array:
        from scipy import stats

        folded = stats.t.logpdf(x, self.df, scale=self.scale) + np.log(2)
        return within(x, self.bounds, folded)

    def draw(self, generator: np.random.Generator, n: int) -> Array:
        return self.scale * np.abs(generator.standard_t(self.df, n))

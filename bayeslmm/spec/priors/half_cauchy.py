"""The half-Cauchy prior."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import ArrayLike

from .base import Array, Prior
from .half_student_t import HalfStudentT


@dataclass(frozen=True)
class HalfCauchy(Prior):
    """``|x|`` of a Cauchy about 0 (Gelman 2006): a half-t with 1 df, median `scale`, no mean."""

    scale: float
    support = "positive"
    positive = ("scale",)
    in_units = ("scale",)
    distribution = "HalfCauchy"
    keywords: ClassVar = {"beta": "scale"}
    variables: ClassVar = {"HalfCauchy": ("beta",)}

    def logpdf(self, x: ArrayLike) -> Array:
        return HalfStudentT(1.0, self.scale).logpdf(x)

    def scipy_logpdf(self, x: Array) -> Array:
        from scipy import stats

        return np.asarray(stats.halfcauchy.logpdf(x, scale=self.scale))

    def draw(self, generator: np.random.Generator, n: int) -> Array:
        return self.scale * np.abs(generator.standard_cauchy(n))

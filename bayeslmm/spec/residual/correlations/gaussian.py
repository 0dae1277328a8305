"""Gaussian decay with distance."""

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from .base import Spatial


@dataclass(frozen=True, eq=False)
class Gaussian(Spatial):
    """exp(−(d/φ)²) between rows d apart, times 1 − nugget where there is one.

    Parameters
    ----------
    form : "x + y | field".
    """

    keyword: ClassVar[str] = "Gaussian"

    def falls(self, ratio: Any) -> Any:
        return np.exp(-ratio * ratio)

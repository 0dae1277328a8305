"""Spherical decay, to nothing at the range."""

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from .base import Spatial


@dataclass(frozen=True, eq=False)
class Spherical(Spatial):
    """1 − 1.5 d/φ + 0.5 (d/φ)³ between rows d < φ apart, 0 beyond, times 1 − nugget where there is one.

    Parameters
    ----------
    form : "x + y | field".
    """

    kinked: ClassVar[bool] = True
    keyword: ClassVar[str] = "Spherical"

    def falls(self, ratio: Any) -> Any:
        return np.where(np.real(ratio) < 1, 1 - 1.5 * ratio + 0.5 * ratio**3, 0.0)

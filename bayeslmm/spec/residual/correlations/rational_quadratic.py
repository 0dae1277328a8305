"""Rational quadratic decay with distance."""

from dataclasses import dataclass
from typing import Any, ClassVar

from .base import Spatial


@dataclass(frozen=True, eq=False)
class RationalQuadratic(Spatial):
    """1/(1 + (d/φ)²) between rows d apart, times 1 − nugget where there is one.

    Parameters
    ----------
    form : "x + y | field".
    """

    keyword: ClassVar[str] = "RationalQuadratic"

    def falls(self, ratio: Any) -> Any:
        return 1 / (1 + ratio * ratio)

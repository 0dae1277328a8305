"""Exponential decay with distance."""

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from bayeslmm.spec.residual.roots import Chain, Joined, Patterns, Root

from .base import Spatial


@dataclass(frozen=True, eq=False)
class Exponential(Spatial):
    """exp(−d/φ) between rows d apart, times 1 − nugget where there is one.

    Parameters
    ----------
    form : "x + y | field".
    """

    keyword: ClassVar[str] = "Exponential"

    def root(self, joined: Joined) -> type[Root]:
        """On a line and without a nugget a row depends on its neighbours alone."""
        return Chain if joined.at.shape[1] == 1 and not self.nugget else Patterns

    def falls(self, ratio: Any) -> Any:
        return np.exp(-ratio)

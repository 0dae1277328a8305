"""What a bootstrap interval is: from an estimate and its draws to lower and upper limits."""

from abc import ABC, abstractmethod
from typing import ClassVar, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bayeslmm.registry import Registered

type Array = NDArray[np.float64]
type IntervalWord = Literal["percentile", "basic", "normal", "studentized", "bca"]


class Sample(NamedTuple):
    """What an interval is made from.

    Attributes
    ----------
    estimate : of the fit. draws : (n,). se, draw_se : standard error of the estimate, and (n,) of each draw.
    acceleration : of the estimate. kind : of estimand, "beta", "sd", "cor", ...
    """

    estimate: float
    draws: Array
    se: float = np.nan
    draw_se: Array | None = None
    acceleration: float = np.nan
    kind: str = ""

    def finite(self) -> "Sample":
        """Without the draws that don't exist, or whose standard error doesn't."""
        kept = np.isfinite(self.draws)
        if self.draw_se is None:
            return self._replace(draws=self.draws[kept])
        kept &= np.isfinite(self.draw_se) & (self.draw_se > 0)
        return self._replace(draws=self.draws[kept], draw_se=self.draw_se[kept])


class IntervalMethod(Registered, ABC):
    """One way from draws to limits.

    Attributes
    ----------
    keyword : what asks for it.
    needs_se, needs_acceleration : whether it reads these of a sample; they are dear.
    """

    needs_se: ClassVar[bool] = False
    needs_acceleration: ClassVar[bool] = False

    @abstractmethod
    def limits(self, sample: Sample, prob: float) -> tuple[float, float]:
        """Lower and upper, from two finite draws or more."""

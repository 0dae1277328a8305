"""Where the profile deviance crosses a cut: by root finding on the signed root, which is nearly straight."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bayeslmm.likelihood.inference.profile.held import Held, Solution

type Array = NDArray[np.float64]

DOUBLINGS = 40


@dataclass(frozen=True, slots=True)
class Limit:
    """An end of an interval: NaN and a note where there is none, the parameter's bound and a note there."""

    value: float
    note: str = ""


class Curve:
    """The profile of one parameter, searched from what was found before.

    Attributes
    ----------
    held : the parameter. minimum : deviance at the estimate. found : solutions so far, by value.
    """

    def __init__(self, held: Held, minimum: float) -> None:
        """Begin at the estimate."""
        self.held, self.minimum = held, minimum
        self.found: dict[float, Solution] = {}

    def solution(self, value: float) -> Solution:
        """The best model with the parameter at `value`."""
        if not self.found:
            self.found[self.held.estimate] = self.held.solve(self.held.estimate, self.held.start)
        if value not in self.found:
            nearest = min(self.found, key=lambda known: abs(known - value))
            self.found[value] = self.held.solve(value, self.found[nearest].x)
        return self.found[value]

    def zeta(self, value: float) -> float:
        """Signed root of the rise of the deviance."""
        rise = max(self.solution(value).deviance - self.minimum, 0.0)
        return float(np.copysign(np.sqrt(rise), value - self.held.estimate))

    def limit(self, side: int, target: float) -> Limit:
        """The value at which zeta is side · target.

        Parameters
        ----------
        side : −1 for the lower, 1 for the upper limit. target : positive.
        """
        from scipy.optimize import brentq

        if self.held.reason:
            return Limit(np.nan, self.held.reason)
        bracket = self._bracket(side, target)
        if isinstance(bracket, Limit):
            return bracket
        inner, outer = bracket
        tolerance = 1e-10 * max(abs(outer - inner), np.finfo(float).tiny)
        root = brentq(
            lambda value: side * self.zeta(value) - target, inner, outer, xtol=tolerance, rtol=1e-13
        )
        return Limit(float(root))

    def _bracket(self, side: int, target: float) -> tuple[float, float] | Limit:
        """Values on both sides of the crossing, or why there is none."""
        held = self.held
        end = held.range[side > 0]
        inner, step = held.estimate, target * held.step
        for _ in range(DOUBLINGS):
            outer = inner + side * step
            if side * (outer - end) >= 0:
                return self._to_the_end(side, target, inner, end)
            if side * self.zeta(outer) >= target:
                return inner, outer
            inner, step = outer, 1.5 * step
        return Limit(np.nan, "the deviance rises too little to give a limit")

    def _to_the_end(self, side: int, target: float, inner: float, end: float) -> tuple[float, float] | Limit:
        """A bracket that ends at the parameter's bound, or the bound itself."""
        if inner == end or side * self.zeta(end) < target:
            return Limit(end, f"the deviance at {end:g} is below the cut")
        return inner, end

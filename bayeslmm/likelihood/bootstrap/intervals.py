"""Bootstrap intervals: from an estimate and its draws to lower and upper limits."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

type Array = NDArray[np.float64]
type Interval = Callable[[float, Array, float], tuple[float, float]]


def percentile(estimate: float, draws: Array, prob: float) -> tuple[float, float]:
    """Quantiles of the draws (Efron 1979)."""
    lower, upper = np.quantile(draws, [0.5 - prob / 2, 0.5 + prob / 2])
    return float(lower), float(upper)


def basic(estimate: float, draws: Array, prob: float) -> tuple[float, float]:
    """The percentile interval reflected at the estimate: 2θ̂ − q (Davison & Hinkley 1997, 5.2)."""
    lower, upper = percentile(estimate, draws, prob)
    return 2 * estimate - upper, 2 * estimate - lower


def normal(estimate: float, draws: Array, prob: float) -> tuple[float, float]:
    """θ̂ − bias ± z·sd of the draws (Davison & Hinkley 1997, 5.2)."""
    from scipy.special import ndtri

    half = float(ndtri(0.5 + prob / 2)) * float(np.std(draws, ddof=1))
    centre = 2 * estimate - float(np.mean(draws))
    return centre - half, centre + half


INTERVALS: dict[str, Interval] = {"percentile": percentile, "basic": basic, "normal": normal}

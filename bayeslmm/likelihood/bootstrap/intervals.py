"""Bootstrap intervals: from an estimate and its draws to lower and upper limits."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

type Array = NDArray[np.float64]


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


type Interval = Callable[[Sample, float], tuple[float, float]]


def percentile(sample: Sample, prob: float) -> tuple[float, float]:
    """Quantiles of the draws (Efron 1979)."""
    lower, upper = np.quantile(sample.draws, [0.5 - prob / 2, 0.5 + prob / 2])
    return float(lower), float(upper)


def basic(sample: Sample, prob: float) -> tuple[float, float]:
    """The percentile interval reflected at the estimate: 2θ̂ − q (Davison & Hinkley 1997, 5.2)."""
    lower, upper = percentile(sample, prob)
    return 2 * sample.estimate - upper, 2 * sample.estimate - lower


def normal(sample: Sample, prob: float) -> tuple[float, float]:
    """θ̂ − bias ± z·sd of the draws (Davison & Hinkley 1997, 5.2)."""
    from scipy.special import ndtri

    half = float(ndtri(0.5 + prob / 2)) * float(np.std(sample.draws, ddof=1))
    centre = 2 * sample.estimate - float(np.mean(sample.draws))
    return centre - half, centre + half


def studentized(sample: Sample, prob: float) -> tuple[float, float]:
    """h⁻¹(h(θ̂) − t·se), t the quantiles of (h(θ*) − h(θ̂))/se* (Davison & Hinkley 1997, 5.2.1).

    h is the logarithm for sd and σ, atanh for correlations, so that no interval leaves its range, and the
    identity for everything else. Draws on a boundary have no standard error and don't count.
    """
    there, back, slope = _SCALES.get(sample.kind, _PLAIN)
    assert sample.draw_se is not None
    with np.errstate(divide="ignore", invalid="ignore"):
        centre, se = there(sample.estimate), sample.se * slope(sample.estimate)
        t = (there(sample.draws) - centre) / (sample.draw_se * slope(sample.draws))
    t = t[np.isfinite(t)]
    if not (np.isfinite(se) and len(t) > 1):
        return np.nan, np.nan
    upper, lower = np.quantile(t, [0.5 - prob / 2, 0.5 + prob / 2])
    return float(back(centre - lower * se)), float(back(centre - upper * se))


def bca(sample: Sample, prob: float) -> tuple[float, float]:
    """Bias-corrected and accelerated percentiles (Efron 1987).

    z₀ from the share of draws below θ̂, those equal to it counted half; a from the jackknife over groups
    (`jackknife.leave_one_out`).
    """
    from scipy.special import ndtr, ndtri

    draws, a = sample.draws, sample.acceleration
    share = np.mean(draws < sample.estimate) + 0.5 * np.mean(draws == sample.estimate)
    z0 = ndtri(np.clip(share, 0.5 / len(draws), 1 - 0.5 / len(draws)))
    z = z0 + ndtri(np.array([0.5 - prob / 2, 0.5 + prob / 2]))
    lower, upper = np.quantile(draws, ndtr(z0 + z / (1 - a * z)))
    return float(lower), float(upper)


type Scale = tuple[Callable[..., Array], Callable[..., Array], Callable[..., Array]]
_PLAIN: Scale = (np.asarray, np.asarray, np.ones_like)
_LOG: Scale = (np.log, np.exp, np.reciprocal)
_ATANH: Scale = (np.arctanh, np.tanh, lambda cor: np.reciprocal(1 - np.square(cor)))
_SCALES: dict[str, Scale] = {"sd": _LOG, "sigma": _LOG, "cor": _ATANH}

INTERVALS: dict[str, Interval] = {
    "percentile": percentile,
    "basic": basic,
    "normal": normal,
    "studentized": studentized,
    "bca": bca,
}

"""Studentized intervals."""

from collections.abc import Callable

import numpy as np

from .base import Array, IntervalMethod, Sample

type Scale = tuple[Callable[..., Array], Callable[..., Array], Callable[..., Array]]
_PLAIN: Scale = (np.asarray, np.asarray, np.ones_like)
_LOG: Scale = (np.log, np.exp, np.reciprocal)
_ATANH: Scale = (np.arctanh, np.tanh, lambda cor: np.reciprocal(1 - np.square(cor)))
_SCALES: dict[str, Scale] = {"sd": _LOG, "sigma": _LOG, "cor": _ATANH}


class Studentized(IntervalMethod):
    """h⁻¹(h(θ̂) − t·se), t the quantiles of (h(θ*) − h(θ̂))/se* (Davison & Hinkley 1997, 5.2.1).

    h is the logarithm for sd and σ, atanh for correlations, so that no interval leaves its range, and the
    identity for everything else. Draws on a boundary have no standard error and don't count.
    """

    keyword = "studentized"
    needs_se = True

    def limits(self, sample: Sample, prob: float) -> tuple[float, float]:
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

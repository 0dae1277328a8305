"""Percentile intervals."""

import numpy as np

from .base import IntervalMethod, Sample


class Percentile(IntervalMethod):
    """Quantiles of the draws (Efron 1979)."""

    keyword = "percentile"

    def limits(self, sample: Sample, prob: float) -> tuple[float, float]:
        lower, upper = np.quantile(sample.draws, [0.5 - prob / 2, 0.5 + prob / 2])
        return float(lower), float(upper)

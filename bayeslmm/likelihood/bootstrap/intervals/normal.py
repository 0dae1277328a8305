"""Normal intervals."""

import numpy as np

from .base import IntervalMethod, Sample


class Normal(IntervalMethod):
    """θ̂ − bias ± z·sd of the draws (Davison & Hinkley 1997, 5.2)."""

    keyword = "normal"

    def limits(self, sample: Sample, prob: float) -> tuple[float, float]:
        from scipy.special import ndtri

        half = float(ndtri(0.5 + prob / 2)) * float(np.std(sample.draws, ddof=1))
        centre = 2 * sample.estimate - float(np.mean(sample.draws))
        return centre - half, centre + half

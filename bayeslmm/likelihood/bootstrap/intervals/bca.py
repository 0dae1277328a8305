"""BCa intervals."""

import numpy as np

from .base import IntervalMethod, Sample


class BCa(IntervalMethod):
    """Bias-corrected and accelerated percentiles (Efron 1987).

    z₀ from the share of draws below θ̂, those equal to it counted half; a from the jackknife over groups
    (`jackknife.leave_one_out`).
    """

    keyword = "bca"
    needs_acceleration = True

    def limits(self, sample: Sample, prob: float) -> tuple[float, float]:
        from scipy.special import ndtr, ndtri

        draws, a = sample.draws, sample.acceleration
        share = np.mean(draws < sample.estimate) + 0.5 * np.mean(draws == sample.estimate)
        z0 = ndtri(np.clip(share, 0.5 / len(draws), 1 - 0.5 / len(draws)))
        z = z0 + ndtri(np.array([0.5 - prob / 2, 0.5 + prob / 2]))
        lower, upper = np.quantile(draws, ndtr(z0 + z / (1 - a * z)))
        return float(lower), float(upper)

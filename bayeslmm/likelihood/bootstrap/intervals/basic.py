"""Basic intervals."""

from .base import IntervalMethod, Sample
from .percentile import Percentile


class Basic(IntervalMethod):
    """The percentile interval reflected at the estimate: 2θ̂ − q (Davison & Hinkley 1997, 5.2)."""

    keyword = "basic"

    def limits(self, sample: Sample, prob: float) -> tuple[float, float]:
        lower, upper = Percentile().limits(sample, prob)
        return 2 * sample.estimate - upper, 2 * sample.estimate - lower

"""A long tail pulls the posterior mean away from the mode, which the estimate is."""

from bayeslmm.parity.verdicts.agree import comparable_widths
from bayeslmm.parity.verdicts.base import Verdict
from bayeslmm.parity.verdicts.evidence import Evidence, VerdictOptions
from bayeslmm.render.numbers import rounded, signed


class Skewed(Verdict):
    """The difference is that of mean and mode.

    REML is a mode. Three things must hold: the posterior is skewed; its mean lies off the estimate on the
    side of the long tail, the median nearer; and the mode (Pearson's rule) comes close to the estimate.
    A shifted posterior fails the last, a symmetric one the first.
    """

    name = "skewed"
    place = 50
    meaning = (
        "a long tail pulls the posterior mean from the mode, which REML is; the mode is near the estimate"
    )
    good = True

    def holds(self, e: Evidence, o: VerdictOptions) -> bool:
        """Decide from mean, median, their distance in sds, and the remaining distance of the mode."""
        long_tail = abs(e.skew) >= o.min_skew and e.skew * e.difference > 0
        explained = abs(e.mode - e.estimate) <= o.skew_tolerance * e.scale
        nearer = abs(e.median - e.estimate) < abs(e.difference)
        return long_tail and explained and nearer and comparable_widths(e, o)

    def sentence(self, e: Evidence, o: VerdictOptions) -> str:
        """Lay estimate, mode, median and mean in a row."""
        tail = "upper" if e.skew > 0 else "lower"
        mode, median, mean = (rounded(value, e.scale) for value in (e.mode, e.median, e.mean))
        return (
            f"The posterior has a long {tail} tail: {e.source} {rounded(e.estimate, e.scale)}, "
            f"posterior mode about {mode}, median {median}, mean {mean} ({signed(e.std_diff)} se)."
        )

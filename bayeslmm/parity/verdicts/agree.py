"""Both sides say the same."""

from math import isfinite

from bayeslmm.parity.verdicts.base import Verdict
from bayeslmm.parity.verdicts.evidence import Evidence, VerdictOptions
from bayeslmm.render.numbers import rounded


class Agree(Verdict):
    """Posterior mean within a fraction of a standard error, interval of comparable width."""

    name = "agree"
    place = 40
    meaning = (
        "posterior mean and estimate within a fraction of a standard error, intervals of comparable width"
    )
    good = True

    def holds(self, e: Evidence, o: VerdictOptions) -> bool:
        """Decide from standardized difference and width ratio."""
        return abs(e.std_diff) <= o.tolerance and comparable_widths(e, o)

    def sentence(self, e: Evidence, o: VerdictOptions) -> str:
        """Give both values, their distance and the widths."""
        values = f"{e.source} {rounded(e.estimate, e.scale)}, posterior mean {rounded(e.mean, e.scale)}"
        widths = (
            f"; the posterior interval is {e.width_ratio:.2f} times as wide"
            if isfinite(e.width_ratio)
            else ""
        )
        return f"{values}: {abs(e.std_diff):.2f} se apart{widths}."


def comparable_widths(e: Evidence, o: VerdictOptions) -> bool:
    """Whether the intervals' widths allow a verdict on location (a missing interval does)."""
    low, high = o.width_range
    return not isfinite(e.width_ratio) or low <= e.width_ratio <= high

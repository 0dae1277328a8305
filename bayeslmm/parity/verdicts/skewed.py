"""A long tail pulls the posterior mean away from the mode, which the estimate is."""

from bayeslmm.parity.verdicts.base import Verdict
from bayeslmm.parity.verdicts.evidence import SHAPE, Evidence, VerdictOptions
from bayeslmm.parity.verdicts.words import steps, values


class Skewed(Verdict):
    """The step from the mode to the mean is the largest, of a variance parameter."""

    name = "skewed"
    place = 70
    meaning = "the posterior has a long tail: REML is a mode, and the mean lies on the tail's side"
    good = True
    next_step = "compare the median, or an interval; neither the mode nor the mean is wrong"

    def holds(self, e: Evidence, o: VerdictOptions) -> bool:
        """Decide from the kind of the leading step."""
        return bool(e.leading) and e.leading[0].kind == SHAPE

    def sentence(self, e: Evidence, o: VerdictOptions) -> str:
        """Give the steps."""
        tail = "upper" if e.total > 0 else "lower"
        return f"{values(e)}: from the mode to the mean of a long {tail} tail; steps: {steps(e)}."

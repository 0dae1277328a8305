"""Both sides are in the same place by accident."""

from bayeslmm.parity.verdicts.agree import located
from bayeslmm.parity.verdicts.base import Verdict
from bayeslmm.parity.verdicts.evidence import Evidence, VerdictOptions
from bayeslmm.parity.verdicts.words import steps, values


class AgreeByCancellation(Verdict):
    """Opposite steps that matter, a sum that doesn't."""

    name = "agree by cancellation"
    place = 40
    meaning = "opposite steps that matter sum to a difference that doesn't"
    good = True
    next_step = "other priors, or other data, would part the two: see the ladder before relying on it"

    def holds(self, e: Evidence, o: VerdictOptions) -> bool:
        """Decide from the sums of the steps in each direction."""
        return located(e, o) and min(e.upwards, e.downwards) > o.tolerance

    def sentence(self, e: Evidence, o: VerdictOptions) -> str:
        """Give the steps."""
        return f"{values(e)}, but by opposite steps: {steps(e)}."

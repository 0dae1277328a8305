"""Averaging over the variances moves an effect."""

from bayeslmm.parity.verdicts.base import Verdict
from bayeslmm.parity.verdicts.evidence import AVERAGING, Evidence, VerdictOptions
from bayeslmm.parity.verdicts.words import steps, values


class Averaged(Verdict):
    """The step from the mode to the mean is the largest, of an effect."""

    name = "averaged"
    place = 70
    meaning = "an effect that depends on the variances is averaged over them; the estimate takes one value"
    good = True
    next_step = "the posterior mean holds what isn't known of the variances; report it where levels are few"

    def holds(self, e: Evidence, o: VerdictOptions) -> bool:
        """Decide from the kind of the leading step."""
        return bool(e.leading) and e.leading[0].kind == AVERAGING

    def sentence(self, e: Evidence, o: VerdictOptions) -> str:
        """Give the steps."""
        return f"{values(e)}: averaging over the variances; steps: {steps(e)}."

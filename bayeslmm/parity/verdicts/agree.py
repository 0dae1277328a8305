"""Both sides say the same."""

from math import isfinite

from bayeslmm.parity.verdicts.base import Verdict
from bayeslmm.parity.verdicts.evidence import Evidence, VerdictOptions
from bayeslmm.parity.verdicts.words import values, widths


class Agree(Verdict):
    """No step matters, and widths don't either."""

    name = "agree"
    place = 60
    meaning = "posterior mean and estimate within a quarter of an sd, no step on the way larger, widths alike"
    good = True

    def holds(self, e: Evidence, o: VerdictOptions) -> bool:
        """Decide from the difference; steps and widths were asked before."""
        return located(e, o)

    def sentence(self, e: Evidence, o: VerdictOptions) -> str:
        """Give both values, their distance and the widths."""
        return f"{values(e)}{widths(e)}."


def located(e: Evidence, o: VerdictOptions) -> bool:
    """Whether both sides are in the same place."""
    return isfinite(e.total) and abs(e.total) <= o.tolerance

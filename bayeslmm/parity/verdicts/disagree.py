"""Two computations of one quantity differ."""

from bayeslmm.parity.verdicts.base import Verdict
from bayeslmm.parity.verdicts.evidence import Evidence, VerdictOptions


class Disagree(Verdict):
    """A fault: what must be one number isn't."""

    name = "disagree"
    place = 5
    meaning = "two computations of one quantity differ: other data, another model, or a fault"
    good = False
    next_step = "see that both results are of the same data and model; then report it as a fault"

    def holds(self, e: Evidence, o: VerdictOptions) -> bool:
        """Decide from the distance."""
        return e.apart > 1

    def sentence(self, e: Evidence, o: VerdictOptions) -> str:
        """Name the quantity."""
        return (
            f"{e.twice} differ, {e.apart:.2g} times as far as allowed: they are one quantity, computed twice."
        )

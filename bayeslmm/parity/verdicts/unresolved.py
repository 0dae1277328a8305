"""One side cannot be compared, or nothing is known of the way."""

from math import isfinite

from bayeslmm.parity.verdicts.base import Verdict
from bayeslmm.parity.verdicts.evidence import UNKNOWN, Evidence, VerdictOptions
from bayeslmm.parity.verdicts.words import values

NOT_COMPARED = "Not compared: "


class Unresolved(Verdict):
    """A side is missing, or its own checks failed; nothing is claimed."""

    name = "unresolved"
    place = 10
    meaning = "one side is missing or failed its own checks; not compared"
    good = False
    next_step = "mend what it names and compare again"

    def holds(self, e: Evidence, o: VerdictOptions) -> bool:
        """Decide from missing numbers and reported problems."""
        return bool(self._reason(e))

    def sentence(self, e: Evidence, o: VerdictOptions) -> str:
        """Name the side and its problem."""
        return f"{NOT_COMPARED}{self._reason(e)}."

    def _reason(self, e: Evidence) -> str:
        if e.problem:
            return e.problem
        if not isfinite(e.mean):
            return f"the posterior has no {e.label}"
        if not (isfinite(e.estimate) or e.term):
            return f"the likelihood side has no {e.label}"
        return ""


class Unexplained(Unresolved):
    """A difference between a fit and a posterior whose priors aren't known."""

    name = "prior unknown"
    place = 70
    meaning = "a difference whose way isn't known, since the priors aren't"
    next_step = "compare a posterior that carries its priors, or certify the other one's"

    def holds(self, e: Evidence, o: VerdictOptions) -> bool:
        """Decide from the steps: there is but one."""
        return not e.leading or e.leading[0].kind == UNKNOWN

    def sentence(self, e: Evidence, o: VerdictOptions) -> str:
        """Give the difference."""
        return f"{values(e)}: total difference, prior unknown."

"""One side cannot be compared."""

from math import isfinite

from bayeslmm.parity.verdicts.base import Verdict
from bayeslmm.parity.verdicts.evidence import Evidence, VerdictOptions


class Unresolved(Verdict):
    """A side is missing, or its own checks failed; nothing is claimed."""

    name = "unresolved"
    place = 10
    meaning = "one side is missing or failed its own checks; not compared"
    good = False

    def holds(self, e: Evidence, o: VerdictOptions) -> bool:
        """Decide from missing numbers, R-hat and reported problems."""
        return bool(self._reason(e, o))

    def sentence(self, e: Evidence, o: VerdictOptions) -> str:
        """Name the side and its problem."""
        return f"Not compared: {self._reason(e, o)}."

    def _reason(self, e: Evidence, o: VerdictOptions) -> str:
        if not isfinite(e.mean):
            return "the posterior has no value for it"
        if not isfinite(e.estimate) and e.kind != "cor":
            return "the likelihood side has no value for it"
        if e.r_hat > o.max_r_hat:
            return f"the chains disagree (R-hat {e.r_hat:.2f}, above {o.max_r_hat:g})"
        return e.problem

"""The evidence is too close to a threshold to tell."""

from bayeslmm.parity.verdicts.base import Verdict
from bayeslmm.parity.verdicts.evidence import Evidence, VerdictOptions


class Borderline(Verdict):
    """Within the error of the averages another verdict holds as well; `judge` asks for it."""

    name = "borderline"
    place = 110
    meaning = "within the error of the averages two verdicts hold"
    good = True
    next_step = "take it as either; a finer rule would decide, but nothing hangs on it"

    def holds(self, e: Evidence, o: VerdictOptions) -> bool:
        """Hold never by itself."""
        return False

    def sentence(self, e: Evidence, o: VerdictOptions) -> str:
        """Say how large the error is."""
        return f"{e.label} is within the error of its averages, {e.error:.2g} sd, of two verdicts."

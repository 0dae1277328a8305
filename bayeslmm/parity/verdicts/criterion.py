"""ML and REML are two estimates."""

from bayeslmm.parity.verdicts.base import Verdict
from bayeslmm.parity.verdicts.evidence import ESTIMATE, Evidence, VerdictOptions
from bayeslmm.parity.verdicts.words import steps, values


class Criterion(Verdict):
    """The step from ML to REML is the largest."""

    name = "ML for REML"
    place = 70
    meaning = "the fit is by ML, and a posterior with flat beta is the twin of REML"
    good = True
    next_step = "fit by REML to compare like with like"

    def holds(self, e: Evidence, o: VerdictOptions) -> bool:
        """Decide from the kind of the leading step."""
        return bool(e.leading) and e.leading[0].kind == ESTIMATE

    def sentence(self, e: Evidence, o: VerdictOptions) -> str:
        """Give the steps."""
        return f"{values(e)}: beta integrated and not maximized; steps: {steps(e)}."

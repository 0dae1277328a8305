"""The estimate lies on the edge of the parameter space."""

from bayeslmm.parity.verdicts.base import Verdict
from bayeslmm.parity.verdicts.evidence import Evidence, VerdictOptions
from bayeslmm.parity.verdicts.words import steps, values


class Boundary(Verdict):
    """A singular term: its standard deviations, correlations and random effects together."""

    name = "boundary"
    place = 20
    meaning = (
        "a singular term: the estimate is on the edge (sd = 0, |cor| = 1), where no posterior mean can be"
    )
    good = True
    next_step = "report the term as not told from 0, or leave it out; Gamma(2, small) keeps an sd off 0"

    def holds(self, e: Evidence, o: VerdictOptions) -> bool:
        """Decide from the likelihood's own word."""
        return bool(e.term)

    def sentence(self, e: Evidence, o: VerdictOptions) -> str:
        """Say what has vanished, and the way of this estimand."""
        return f"{e.term} is singular ({e.boundary}): {values(e)}; steps: {steps(e)}."

"""The estimate lies on the edge of the parameter space."""

from math import isfinite

from bayeslmm.parity.verdicts.base import Verdict
from bayeslmm.parity.verdicts.evidence import Evidence, VerdictOptions
from bayeslmm.render.numbers import rounded


class Boundary(Verdict):
    """REML says sd = 0 (or |cor| = 1); a posterior spreads over what the data cannot exclude.

    It must reach the boundary: a posterior well away from it contradicts the estimate.
    """

    name = "boundary"
    place = 20
    meaning = (
        "the estimate is on the boundary (sd = 0, or a correlation of ±1), where no posterior mean can be"
    )
    good = True

    def holds(self, e: Evidence, o: VerdictOptions) -> bool:
        """Decide from the estimate and the posterior's distance to the boundary."""
        if e.kind == "cor" and not isfinite(e.estimate):
            return True
        return self._at_edge(e, o) and abs(e.difference) <= o.boundary_reach * e.sd

    def sentence(self, e: Evidence, o: VerdictOptions) -> str:
        """Say where the boundary is and where the posterior."""
        spread = f"the posterior spans {rounded(e.post_lower, e.sd)} to {rounded(e.post_upper, e.sd)}"
        return f"{e.source} {self._edge(e)}; {spread}."

    def _edge(self, e: Evidence) -> str:
        if not isfinite(e.estimate):
            return "sets a standard deviation to 0, which leaves no correlation to estimate"
        if e.kind == "ranef":
            return "sets the group's standard deviation to 0 and this effect with it"
        return f"is on the boundary ({rounded(e.estimate, e.sd)}), where a posterior cannot be"

    def _at_edge(self, e: Evidence, o: VerdictOptions) -> bool:
        if e.kind == "sd":
            return e.estimate <= o.boundary_zero * e.mean
        if e.kind == "cor":
            return 1 - abs(e.estimate) <= o.boundary_zero
        return (
            e.kind == "ranef" and abs(e.estimate) <= o.boundary_zero * e.sd and e.se <= o.boundary_zero * e.sd
        )

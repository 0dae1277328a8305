"""Too few effective draws to tell."""

from bayeslmm.parity.verdicts.base import Verdict
from bayeslmm.parity.verdicts.evidence import Evidence, VerdictOptions


class MonteCarloLimited(Verdict):
    """Simulation noise is as large as the tolerance, and the difference not larger than both."""

    name = "Monte Carlo limited"
    meaning = "too few effective draws to tell; sample longer"
    good = False

    def holds(self, e: Evidence, o: VerdictOptions) -> bool:
        """Decide from the MCSE: it hides the tolerance, and might hide the difference."""
        noise, allowed = o.mcse_factor * e.mcse, o.tolerance * e.scale
        return noise > allowed and abs(e.difference) <= allowed + noise

    def sentence(self, e: Evidence, o: VerdictOptions) -> str:
        """Give noise and tolerance in standard errors."""
        return (
            f"The Monte Carlo error of the posterior mean (MCSE {e.mcse / e.scale:.2g} se) is too large "
            f"to judge a difference of {e.std_diff:+.2f} se; sample longer."
        )

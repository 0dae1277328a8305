"""Too few effective draws to tell."""

from bayeslmm.parity.verdicts.base import Verdict
from bayeslmm.parity.verdicts.evidence import Evidence, VerdictOptions
from bayeslmm.render.numbers import signed


class MonteCarloLimited(Verdict):
    """Simulation noise hides whether the sides agree, or why they differ.

    The first: noise exceeds the tolerance, and the difference is within both. The second: noise exceeds what
    may remain unexplained, and the difference is within three times the noise - the mode, 3 median - 2 mean,
    is about three times as noisy as the mean.
    """

    name = "Monte Carlo limited"
    place = 30
    meaning = "too few effective draws to tell; sample longer"
    good = False

    def holds(self, e: Evidence, o: VerdictOptions) -> bool:
        """Decide from the MCSE: what it could hide."""
        noise, allowed = o.mcse_factor * e.mcse, o.tolerance * e.scale
        whether = noise > allowed and abs(e.difference) <= allowed + noise
        why = noise > o.skew_tolerance * e.scale and abs(e.difference) <= allowed + 3 * noise
        return whether or why

    def sentence(self, e: Evidence, o: VerdictOptions) -> str:
        """Give noise and tolerance in standard errors."""
        return (
            f"The Monte Carlo error of the posterior mean (MCSE {e.mcse / e.scale:.2g} se) is too large "
            f"to judge a difference of {signed(e.std_diff)} se; sample longer."
        )

"""Nothing known explains the difference."""

from math import isfinite

from bayeslmm.parity.verdicts.agree import comparable_widths
from bayeslmm.parity.verdicts.base import Verdict
from bayeslmm.parity.verdicts.evidence import Evidence, VerdictOptions
from bayeslmm.render.numbers import rounded, signed


class Disagree(Verdict):
    """What is left when no other verdict holds."""

    name = "disagree"
    place = 100
    meaning = "no known cause explains the difference: look for different data, models or priors, or a fault"
    good = False

    def holds(self, e: Evidence, o: VerdictOptions) -> bool:
        """Hold always: it is the last in order."""
        return True

    def sentence(self, e: Evidence, o: VerdictOptions) -> str:
        """Give both values and what was ruled out."""
        values = f"{e.source} {rounded(e.estimate, e.scale)}, posterior mean {rounded(e.mean, e.scale)}"
        if not comparable_widths(e, o):
            return (
                f"{values}; the posterior interval is {e.width_ratio:.2f} times the {e.interval} one's width."
            )
        pull = f", prior pull {rounded(e.prior_pull, e.scale)}" if isfinite(e.prior_pull) else ""
        return (
            f"{values} ({signed(e.std_diff)} se): neither Monte Carlo error (MCSE {e.mcse / e.scale:.2g} se) "
            f"nor skewness (mode about {rounded(e.mode, e.scale)}{pull}) explains it."
        )

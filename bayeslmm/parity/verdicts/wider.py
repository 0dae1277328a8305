"""The posterior interval is wider."""

from bayeslmm.parity.verdicts.agree import located
from bayeslmm.parity.verdicts.base import Verdict
from bayeslmm.parity.verdicts.evidence import Evidence, VerdictOptions
from bayeslmm.parity.verdicts.words import values, widths


class Wider(Verdict):
    """Location agrees, the posterior interval is wider than the likelihood's best."""

    name = "wider"
    place = 50
    meaning = "same place, but the posterior interval is wider: it holds what isn't known of the variances"
    good = True
    next_step = "with few levels the wider interval is the honest one; par.widths says from which step"

    def holds(self, e: Evidence, o: VerdictOptions) -> bool:
        """Decide from the ratio."""
        return located(e, o) and e.width_ratio > o.width_range[1]

    def sentence(self, e: Evidence, o: VerdictOptions) -> str:
        """Give the widths."""
        return f"{values(e)}{widths(e)}."

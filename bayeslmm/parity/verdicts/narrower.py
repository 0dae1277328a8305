"""The posterior interval is narrower."""

from bayeslmm.parity.verdicts.agree import located
from bayeslmm.parity.verdicts.base import Verdict
from bayeslmm.parity.verdicts.evidence import Evidence, VerdictOptions
from bayeslmm.parity.verdicts.words import values, widths


class Narrower(Verdict):
    """Location agrees, the posterior interval is narrower than the likelihood's best."""

    name = "narrower"
    place = 50
    meaning = "same place, but the posterior interval is narrower: its priors know more than the data"
    good = True
    next_step = "state the prior that narrows it where the interval is reported"

    def holds(self, e: Evidence, o: VerdictOptions) -> bool:
        """Decide from the ratio."""
        return located(e, o) and e.width_ratio < o.width_range[0]

    def sentence(self, e: Evidence, o: VerdictOptions) -> str:
        """Give the widths."""
        return f"{values(e)}{widths(e)}."

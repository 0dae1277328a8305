"""The priors pull."""

from bayeslmm.parity.verdicts.agree import comparable_widths
from bayeslmm.parity.verdicts.base import Verdict
from bayeslmm.parity.verdicts.evidence import Evidence, VerdictOptions
from bayeslmm.render.numbers import rounded, signed


class PriorDriven(Verdict):
    """The priors' first-order pull explains the difference, with or without the posterior's skewness."""

    name = "prior-driven"
    place = 60
    meaning = "the priors pull the posterior away from the estimate, by about what their slope there predicts"
    good = True

    def holds(self, e: Evidence, o: VerdictOptions) -> bool:
        """Decide from the pull: same direction, not negligible, and little remains."""
        pulls = e.prior_pull * e.difference > 0 and abs(e.prior_pull) > o.tolerance * e.scale / 2
        allowed = o.prior_tolerance * e.scale
        return pulls and abs(remainder(e)) <= allowed and comparable_widths(e, o)

    def sentence(self, e: Evidence, o: VerdictOptions) -> str:
        """Give the pull and what it leaves."""
        numbers = (e.prior_pull, e.estimate, e.median, e.mean)
        pull, estimate, median, mean = (rounded(value, e.scale) for value in numbers)
        return (
            f"The priors pull by about {pull} from {e.source} {estimate}; "
            f"posterior median {median}, mean {mean} ({signed(e.std_diff)} se)."
        )


def remainder(e: Evidence) -> float:
    """Distance left between 0 and (pull + skewness), whatever part of the skewness is counted."""
    rest = e.difference - e.prior_pull
    skewness = e.mean - e.mode
    low, high = sorted((rest, rest - skewness))
    return 0.0 if low <= 0 <= high else min(abs(low), abs(high))

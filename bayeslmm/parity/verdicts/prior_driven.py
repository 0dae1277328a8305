"""A prior moves the estimate."""

from math import isnan

from bayeslmm.parity.verdicts.base import Verdict
from bayeslmm.parity.verdicts.evidence import MERGED, PRIOR, Evidence, Step, VerdictOptions
from bayeslmm.parity.verdicts.words import steps, values


class PriorDriven(Verdict):
    """The priors' steps are the largest in the direction that the estimate goes."""

    name = "prior-driven"
    place = 70
    meaning = "a prior moves it: named where it leads in the ladder, added alone and taken away alone"
    good = True
    next_step = "say where the prior comes from; par.sensitivity shows what other priors would give"

    def holds(self, e: Evidence, o: VerdictOptions) -> bool:
        """Decide from the kind of the leading steps."""
        return bool(e.leading) and e.leading[0].kind in (PRIOR, MERGED)

    def sentence(self, e: Evidence, o: VerdictOptions) -> str:
        """Name the prior, or say that it takes them all."""
        return f"{values(e)}: {self._cause(e)}; steps: {steps(e)}."

    def _cause(self, e: Evidence) -> str:
        first = e.leading[0]
        if first.kind == MERGED:
            return f"{first.cause}, which can't be told apart here"
        through = f" through {first.through}" if first.through and first.through != e.label else ""
        return f"the {first.cause}{through}" if leads(e) else "these priors jointly"


def leads(e: Evidence) -> bool:
    """Whether the first of the priors leads in the ladder, alone and taken away."""
    sign = 1.0 if e.total >= 0 else -1.0
    own = [step for step in e.leading if step.kind == PRIOR]
    return all(_most(own, name, sign) is own[0] for name in ("alone", "away"))


def _most(own: list[Step], name: str, sign: float) -> Step:
    known = [step for step in own if not isnan(getattr(step, name))]
    return max(known, key=lambda step: sign * getattr(step, name)) if known else own[0]

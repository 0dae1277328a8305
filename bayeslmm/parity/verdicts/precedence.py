"""Which verdict comes first: that of the lowest place whose ``holds`` is true.

- 10, unresolved: without two sound sides nothing is said;
- 20, boundary: an estimate at the edge has no useful standard error, so it is settled before distances are;
- 30, Monte Carlo limited: noise that hides the tolerance hides agreement as well;
- 40, agree;
- 50, skewed: a cause the posterior shows by itself;
- 60, prior-driven: a cause that needs the priors;
- 100, disagree: what is left.

A new cause is a class in a file of this folder, its place between those it must follow and precede.
"""

from bayeslmm.parity.verdicts.base import Verdict
from bayeslmm.parity.verdicts.evidence import Evidence, VerdictOptions


def precedence() -> tuple[Verdict, ...]:
    """Every verdict, in the order they are asked."""
    kinds = sorted(Verdict.kinds().values(), key=lambda kind: (kind.place, kind.name))
    return tuple(kind() for kind in kinds)


def judge(evidence: Evidence, options: VerdictOptions) -> Verdict:
    """Give the first verdict that holds."""
    return next(verdict for verdict in precedence() if verdict.holds(evidence, options))

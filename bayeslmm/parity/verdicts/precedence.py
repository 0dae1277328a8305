"""Which verdict comes first.

The first class whose ``holds`` is true gives the verdict:

1. unresolved - without two sound sides nothing is said;
2. boundary - an estimate at the edge has no useful standard error, so it is settled before distances are;
3. Monte Carlo limited - noise that hides the tolerance hides agreement as well;
4. agree;
5. skewed - a cause the posterior shows by itself;
6. prior-driven - a cause that needs the priors;
7. disagree.

A new cause is a class of its own, put into ``PRECEDENCE`` before ``Disagree``.
"""

from bayeslmm.parity.verdicts.agree import Agree
from bayeslmm.parity.verdicts.base import Verdict
from bayeslmm.parity.verdicts.boundary import Boundary
from bayeslmm.parity.verdicts.disagree import Disagree
from bayeslmm.parity.verdicts.evidence import Evidence, VerdictOptions
from bayeslmm.parity.verdicts.monte_carlo import MonteCarloLimited
from bayeslmm.parity.verdicts.prior_driven import PriorDriven
from bayeslmm.parity.verdicts.skewed import Skewed
from bayeslmm.parity.verdicts.unresolved import Unresolved

PRECEDENCE: tuple[Verdict, ...] = (
    Unresolved(),
    Boundary(),
    MonteCarloLimited(),
    Agree(),
    Skewed(),
    PriorDriven(),
    Disagree(),
)


def judge(evidence: Evidence, options: VerdictOptions) -> Verdict:
    """Give the first verdict that holds."""
    return next(verdict for verdict in PRECEDENCE if verdict.holds(evidence, options))

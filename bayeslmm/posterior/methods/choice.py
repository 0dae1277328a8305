"""Which method to use: counted cost of one evaluation, number of parameters, and what can be exact."""

from dataclasses import dataclass

from bayeslmm.posterior.methods.quadrature import check_size
from bayeslmm.posterior.target import Target

EACH_STEP = 5  # evaluations of a NUTS step
STEPS = EACH_STEP * 2000 * 4  # of a marginal NUTS run of usual length
PATIENCE = 1e12  # of the kernel's work, some minutes, beyond which the explicit graph is the better bet


@dataclass(frozen=True, slots=True)
class Plan:
    """Methods to try in turn, the last of them without a gate, and why."""

    methods: tuple[str, ...]
    reason: str


def choose(target: Target, method: str) -> Plan:
    """Plan a run; "auto" prefers importance, whose weights tell whether it serves, then NUTS by cost.

    Raises
    ------
    OptionError
        When quadrature is asked for and there are too many parameters.
    """
    if method == "quadrature":
        check_size(target)
        return Plan(("quadrature",), "asked for")
    if method in ("marginal", "explicit") and target.size:
        return Plan((method,), "asked for")
    if method == "importance":
        return Plan(("importance", "marginal"), "asked for")
    if not target.size:
        return Plan(("importance", "explicit"), "every parameter is integrated out: draws are exact")
    return _by_cost(target)


def _by_cost(target: Target) -> Plan:
    work = target.design.kernel.work
    graph = "marginal" if work * STEPS < PATIENCE else "explicit"
    counted = f"{target.size} parameters besides the Gaussian ones, {work:.1e} multiplications an evaluation"
    if target.priors.bounded:
        return Plan((graph,), f"{counted}; a prior ends at a bound, which proposals cross")
    return Plan(("importance", graph), counted)

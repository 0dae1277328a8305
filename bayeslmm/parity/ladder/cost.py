"""What a ladder will take, in evaluations of the posterior's density."""

from bayeslmm.posterior.methods.averages import evaluations
from bayeslmm.posterior.target import Target

MODES, MODES_WHERE_DEAR = 3000, 120  # searches for the modes, and the scan where it is cheap, about


def ladder_evaluations(target: Target) -> int:
    """How many evaluations modes and averages are worth, about."""
    return (MODES if target.design.kernel.small else MODES_WHERE_DEAR) + evaluations(target)

"""What a run of the posterior will take, in evaluations of its density."""

import numpy as np

from bayeslmm.kernel.interpreted import LIMIT
from bayeslmm.one_thread import one_thread
from bayeslmm.posterior.methods.averages import evaluations as of_averages
from bayeslmm.posterior.methods.choice import EACH_STEP, choose
from bayeslmm.posterior.methods.importance import FEWEST
from bayeslmm.posterior.methods.surrogate import evaluations
from bayeslmm.posterior.options import SampleOptions
from bayeslmm.posterior.target import Target
from bayeslmm.runs.budget import timed

TOGETHER = 100  # points, at least, that are evaluated in one call where they are cheap
SEARCHED, SEARCHED_WHERE_DEAR = 600, 130  # evaluations of importance sampling's modes and scan, about
DRAWN_WHERE_DEAR = 0.8  # of an evaluation, what a draw takes: half of them are evaluated, and effects drawn


def foretold(target: Target, options: SampleOptions) -> tuple[str, int]:
    """The method that a run will try first, and about how many evaluations it takes."""
    method, wanted = choose(target, options.method).methods[0], options.draws * options.chains
    if method == "quadrature":
        return method, of_averages(target)
    if method != "importance":
        return method, EACH_STEP * (options.draws + options.tune) * options.chains
    if target.design.kernel.small:
        return method, SEARCHED + max(wanted, FEWEST)
    return method, SEARCHED_WHERE_DEAR + evaluations(target.size) + int(DRAWN_WHERE_DEAR * wanted)


def seconds_each(target: Target) -> float:
    """Seconds of one evaluation, as a run meets them: one of many in a call where they are cheap."""
    with one_thread():
        points = np.tile(target.start(), (_together(target), 1))
        return timed(lambda: target.finite(points)) / len(points)


def _together(target: Target) -> int:
    """Points of a call that is compiled, not interpreted; where R moves they are evaluated one by one."""
    if not target.design.kernel.small:
        return 1
    if target.design.residual.n_phi:
        return TOGETHER
    left = LIMIT - target.design.kernel.problem.floats.size
    return max(TOGETHER, left // max(1, target.design.covariance.n_lam))

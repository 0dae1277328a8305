"""A start is searched from unless its way to a known mode only rises."""

import bayeslmm as bl
from bayeslmm.posterior.methods.laplace import laplace
from bayeslmm.posterior.methods.modes import _leads_up
from bayeslmm.posterior.target import Target


def test_a_slope_leads_to_a_mode_that_is_known():
    model = bl.LinearMixedModel("Yield ~ 1 + (1 | Batch)", bl.load_dataset("Dyestuff"))
    target = Target(model.design, model.priors)
    top, start = laplace(target), target.start()
    assert not _leads_up(target, start, [])
    assert _leads_up(target, top.mode + 0.1 * (start - top.mode), [top])

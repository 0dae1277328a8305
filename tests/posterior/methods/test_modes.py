"""A start is searched from unless its way to a known mode only rises."""

from dataclasses import replace

import bayeslmm as bl
from bayeslmm.posterior.methods.laplace import laplace
from bayeslmm.posterior.methods.modes import Scan, modes, rises_to
from bayeslmm.posterior.target import Target


def test_a_slope_leads_to_a_mode_that_is_known():
    model = bl.LinearMixedModel("Yield ~ 1 + (1 | Batch)", bl.load_dataset("Dyestuff"))
    target = Target(model.design, model.priors)
    top, start = laplace(target), target.start()
    assert rises_to(target, top.mode + 0.1 * (start - top.mode), top.mode)


def test_where_no_mode_is_known_every_start_is_searched_from(monkeypatch):
    model = bl.LinearMixedModel("Yield ~ 1 + (1 | Batch)", bl.load_dataset("Dyestuff"))
    target = Target(model.design, model.priors)
    lost = replace(laplace(target), converged=False)
    searched = []
    monkeypatch.setattr(
        "bayeslmm.posterior.methods.modes.laplace", lambda *args, **_: searched.append(args) or lost
    )
    scan = Scan.of(target)
    assert modes(target, scan) == (lost,)
    assert len(searched) == 1 + len(scan.starts())

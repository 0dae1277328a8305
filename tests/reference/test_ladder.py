"""Modes, means and widths of a second program: dense V at every point, tensor quadrature."""

import json
from pathlib import Path

import numpy as np
import pytest

import bayeslmm
from bayeslmm.parity.ladder.ladder import Ladder
from tests.parity.ladder.studies import study_from

FILES = sorted((Path(__file__).parent / "ladder").glob("*.json"))
MODE, MEAN = 1e-4, 0.01  # of the reference's scale, of a posterior sd


@pytest.fixture(scope="module", params=FILES, ids=lambda path: path.stem)
def case(request):
    told = json.loads(request.param.read_text())
    data = bayeslmm.load_dataset(told["dataset"])
    rows = data if told["rows"] is None else data.iloc[told["rows"]]
    priors = {name: getattr(bayeslmm, family)(*arguments) for name, family, arguments in told["priors"]}
    model = bayeslmm.LinearMixedModel(
        told["formula"],
        rows.assign(**told["assign"]),
        priors=priors,
        weights=told["weights"],
        sigma=told["sigma"],
    )
    return told, Ladder(study_from(model))


def test_every_rung_is_the_references(case):
    told, ladder = case
    frame = ladder.frame.set_index(["label", "rung"])
    for label, rungs in told["rungs"].items():
        for rung, value in rungs.items():
            if rung == "median" or (label, rung) not in frame.index:
                assert rung in ("median", *told["rungs_that_may_be_absent"])
            elif value is None:
                assert frame.loc[(label, rung), "reason"]
            else:
                ours = frame.loc[(label, rung)]
                sd = told["posterior_sd"][label]
                allowed = max(MEAN * sd, ours["error"]) if rung == "mean" else MODE * told["scale"][label]
                assert ours["value"] == pytest.approx(value, abs=allowed), (label, rung)


def test_the_averages_have_the_references_sds(case):
    told, ladder = case
    sds = dict(zip(ladder.study.estimands.labels, ladder.study.sd, strict=True))
    for label, sd in told["posterior_sd"].items():
        assert sds[label] == pytest.approx(sd, rel=0.01)


def test_the_flat_mode_is_reml(case):
    ladder = case[1]
    frame = ladder.frame.query("rung == 'flat mode'").dropna(subset=["step_over_scale"])
    assert np.abs(frame["step_over_scale"]).max() < 1e-6

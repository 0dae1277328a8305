"""The report's word on which interval to trust."""

import numpy as np
import pandas as pd
import pytest

import bayeslmm as bl
from bayeslmm.errors import InputError
from bayeslmm.parity.report.sections.trust import TrustSection
from bayeslmm.parity.whole import Run, RunOptions


@pytest.fixture(scope="module")
def model():
    rng = np.random.default_rng(2)
    g = np.repeat(np.arange(10), 4)
    x = rng.normal(size=10)[g]
    y = 1 + 0.5 * x + rng.normal(size=10)[g] + rng.normal(size=40)
    return bl.LinearMixedModel("y ~ x + (1 | g)", pd.DataFrame({"y": y, "x": x, "g": g.astype(str)}))


@pytest.fixture(scope="module")
def run(model):
    options = RunOptions(boot=0, method="importance", draws=100, calibrate=10)
    return Run(model, options, progress=False)


def test_every_parameter_has_a_trusted_interval_with_its_limits_here(run):
    _, table, why = TrustSection().blocks(run.parity)
    rows = {row[0].text: [cell.text for cell in row] for row in table.rows}
    trusted = run.calibration.trust
    assert list(rows) == list(trusted.index)
    own = run.parity.intervals.set_index(["label", "method"])
    method = trusted["method"]["beta[x]"]
    lower = own.loc[("beta[x]", {"bootstrap": "percentile"}.get(method, method)), "lower"]
    assert rows["beta[x]"][1] == method
    shown = rows["beta[x]"][2].replace("\N{MINUS SIGN}", "-").split(" to ")[0]
    assert float(shown) == pytest.approx(lower, abs=0.02)
    (facts,) = why.blocks
    assert all(text in trusted["sentence"][label] for label, text in facts.pairs)


def test_without_a_calibration_nothing_is_said(model):
    assert not list(TrustSection().blocks(bl.compare(model.fit())))


def test_a_calibration_of_something_else_is_refused(model, run):
    other = bl.LinearMixedModel("y ~ 1 + (1 | g)", model.data)
    with pytest.raises(InputError, match="calibrate that"):
        bl.compare(other.fit(), calibration=run.calibration)
    with pytest.raises(InputError, match="90 % intervals"):
        bl.compare(model.fit(), prob=0.9, calibration=run.calibration)

"""The whole run keeps to a budget and says so."""

import pytest

import bayeslmm
from bayeslmm.errors import BudgetWarning, OptionError
from bayeslmm.parity.whole import Run, RunOptions, monte_carlo


@pytest.fixture(scope="module")
def model():
    return bayeslmm.LinearMixedModel("Yield ~ 1 + (1 | Batch)", bayeslmm.load_dataset("Dyestuff"))


def slow(model, seconds, **options):
    """A run whose replicates are said to take so long."""
    run = Run(model, RunOptions(**options), progress=False)
    vars(run)["_replicate"] = seconds
    return run


def test_replicates_are_as_many_as_the_budget_leaves(model):
    run = slow(model, 1.0, budget=150)
    assert 100 <= run.replicates < 150
    assert str(run.replicates) in run.shortened
    assert monte_carlo(run.replicates) in run.said
    assert "bootstrap: about" in run.said


def test_too_few_are_none_and_none_is_no_result(model):
    run = slow(model, 10.0, budget=100)
    assert run.replicates == 0
    assert run.bootstrap is None
    assert "no bootstrap" in run.said


def test_what_is_asked_for_is_made(model):
    run = slow(model, 1e6, boot=7)
    assert run.replicates == 7
    assert run.shortened == ""
    assert run.bootstrap.n == 7


def test_a_cheap_model_has_all_of_them(model):
    run = Run(model, RunOptions(), progress=False)
    assert run.replicates == 2000
    assert run.shortened == ""
    assert [cost.part.partition(" ")[0] for cost in run.costs] == ["posterior", "ladder", "bootstrap"]


def test_monte_carlo_error_falls_with_the_root_of_the_number():
    assert "5.0 %" in monte_carlo(201)
    assert "0.011" in monte_carlo(201)


def test_what_a_budget_leaves_out_is_a_warning(model, monkeypatch):
    monkeypatch.setattr("bayeslmm.parity.whole.fitting", lambda *_: 120)
    with pytest.warns(BudgetWarning, match="120 bootstrap replicates instead of 2000"):
        par = model.parity(progress=False)
    assert par.manifest.options["run"]["boot"] == 120


@pytest.mark.parametrize(
    "wrong", [{"budget": 0}, {"boot": -1}, {"prob": 1.0}, {"prob": 95}, {"draws": 1}, {"seed": -1}]
)
def test_options_are_refused_before_any_work(model, wrong):
    with pytest.raises(OptionError):
        model.parity(progress=False, **wrong)

import numpy as np
import pandas as pd
import pytest
from xarray import Dataset, DataTree

from bayeslmm.datasets import load_dataset
from bayeslmm.posterior.options import SampleOptions
from bayeslmm.posterior.sample import sample
from bayeslmm.posterior.summary.checks import all_checks, bfmi, moment_checks
from bayeslmm.posterior.summary.estimates import summarize
from bayeslmm.spec.build import build
from bayeslmm.spec.model_spec import ModelSpec
from bayeslmm.spec.priors import Flat, HalfNormal, PriorBlock, Priors, default_priors
from tests.posterior.conftest import ONE_WAY


def tree(**statistics):
    return DataTree.from_dict(
        {"sample_stats": Dataset({name: (("chain", "draw"), value) for name, value in statistics.items()})}
    )


def checks_of(draws, pareto_k=None, **statistics):
    table = summarize(("sigma",), draws[..., None], 0.95, "eti")
    return {check.name: check for check in all_checks(tree(**statistics), table, pareto_k)}


@pytest.fixture
def good():
    return np.random.default_rng(1).standard_normal((4, 1000))


def test_good_draws_pass(good):
    checks = checks_of(good, 0.2, diverging=np.zeros((4, 1000), dtype=bool), energy=good)
    assert set(checks) == {"r_hat", "ess", "divergences", "bfmi", "pareto_k"}
    assert all(check.passed for check in checks.values())


def test_chains_that_disagree_fail_r_hat(good):
    check = checks_of(good + np.arange(4)[:, None])["r_hat"]
    assert not check.passed
    assert "sigma" in check.sentence


def test_slow_chains_fail_ess(good):
    check = checks_of(np.cumsum(good, axis=1))["ess"]
    assert not check.passed
    assert "times the draws" in check.sentence


def test_divergences_are_counted(good):
    diverging = np.zeros((4, 1000), dtype=bool)
    diverging[0, :3] = True
    check = checks_of(good, diverging=diverging)["divergences"]
    assert (check.value, check.passed) == (3, False)
    assert "target_accept" in check.sentence


def test_heavy_weights_fail_the_gate(good):
    assert not checks_of(good, 0.9)["pareto_k"].passed


@pytest.mark.parametrize(
    ("levels", "passed", "said"),
    [(3, False, "no mean and no variance"), (4, False, "no variance"), (5, True, "5 levels")],
)
def test_moments_that_a_flat_prior_takes_away(levels, passed, said):
    block = PriorBlock("g", ("Intercept",), levels, False)
    flat = Priors((), (block,), {"sd[g: Intercept]": Flat()})
    (check,) = moment_checks(flat)
    assert (check.passed, said in check.sentence) == (passed, True)
    assert moment_checks(flat.replace({"sd": HalfNormal(1.0)})) == ()


@pytest.mark.parametrize("method", ["importance", "quadrature"])
def test_a_result_tells_of_missing_moments(method):
    data = load_dataset("Dyestuff")
    kept = data[data["Batch"].isin(list("ABC"))].reset_index(drop=True)
    found = build(ModelSpec(ONE_WAY), kept).design
    priors = default_priors(found).replace({"sd": Flat()})
    result = sample(found, priors, SampleOptions(seed=3, method=method, progress=False))
    assert [check.passed for check in result.checks if check.name == "moments"] == [False]
    assert "no mean and no variance" in repr(result)


def test_bfmi_is_arviz_own(good):
    from arviz_stats.base import array_stats

    energy = np.cumsum(good, axis=1) * 0.1 + good
    np.testing.assert_allclose(bfmi(energy), array_stats.bfmi(energy), rtol=0.01)


def test_checks_read_as_sentences(good):
    table = pd.DataFrame({"r_hat": [1.2], "ess_bulk": [500.0], "ess_tail": [450.0]}, index=["beta[x]"])
    first = all_checks(tree(lp=good), table, None)[0]
    assert str(first).startswith("FAIL largest R-hat 1.200 (beta[x])")

import numpy as np
import pandas as pd
import pytest
from xarray import Dataset, DataTree

from bayeslmm.datasets import load_dataset
from bayeslmm.posterior.options import SampleOptions
from bayeslmm.posterior.sample import sample
from bayeslmm.posterior.summary.checks import all_checks, bfmi, moment_checks, origin_checks
from bayeslmm.posterior.summary.estimates import summarize
from bayeslmm.spec.build import build
from bayeslmm.spec.model_spec import ModelSpec
from bayeslmm.spec.priors import Flat, HalfNormal, HalfStudentT, default_priors
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


def few_levels(levels, formula="y ~ 1 + (1 | g)", shift=0.0):
    g = np.repeat(np.arange(levels), 6)
    rng = np.random.default_rng(levels)
    data = {"y": rng.normal(g, 1), "g": g.astype(str), "x": shift + rng.normal(size=len(g)), "z": g % 3 + 0.0}
    return build(ModelSpec(formula), pd.DataFrame(data)).design


@pytest.mark.parametrize(
    ("levels", "passed", "said"),
    [(3, False, "no mean and no variance"), (4, False, "no variance"), (5, True, "4 independent levels")],
)
def test_moments_that_a_flat_prior_takes_away(levels, passed, said):
    flat = default_priors(few_levels(levels)).replace({"sd": Flat()})
    (check,) = moment_checks(flat)
    assert (check.passed, said in check.sentence) == (passed, True)
    assert "median" not in check.sentence
    assert moment_checks(flat.replace({"sd": HalfNormal(1.0)})) == ()


def test_levels_that_the_fixed_part_explains_dont_count():
    """Five levels, of which a covariate that is constant within them leaves three."""
    flat = default_priors(few_levels(5, "y ~ z + (1 | g)")).replace({"sd": Flat()})
    (check,) = moment_checks(flat)
    assert not check.passed
    assert "3 independent levels" in check.sentence


@pytest.mark.parametrize(("levels", "fails"), [(2, True), (4, True), (5, False)])
def test_moments_that_hang_on_a_wide_prior_are_told(levels, fails):
    priors = default_priors(few_levels(levels))
    assert moment_checks(priors) == ()
    assert bool(moment_checks(priors.replace({"sd": HalfNormal(1e4)}))) == fails


def test_a_heavy_tail_has_the_moments_that_levels_and_tail_make():
    """Half-Cauchy falls as sd^-2: with two levels the density falls as sd^-3, and there is no variance."""
    (check,) = moment_checks(default_priors(few_levels(2)).replace({"sd": HalfStudentT(1.0, 1.0)}))
    assert check.value == pytest.approx(3.0)
    assert "no variance" in check.sentence


@pytest.mark.parametrize(
    ("formula", "shift", "told"),
    [
        ("y ~ x + (x | g)", 2019.0, True),
        ("y ~ x + (x | g)", 2.0, False),
        ("y ~ x + (1 | g)", 2019.0, False),
        ("y ~ x + (0 + x | g)", 2019.0, False),
    ],
)
def test_a_far_origin_beside_an_intercept_is_told(formula, shift, told):
    found = origin_checks(few_levels(6, formula, shift))
    assert [check.name for check in found] == ["origin"] * told
    assert all("centre 'x'" in check.sentence for check in found)


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


@pytest.mark.parametrize(("chains", "draws"), [(1, 500), (1, 4), (2, 4), (4, 5)])
def test_one_chain_or_few_draws_have_checks_and_a_face(chains, draws):
    found = few_levels(6)
    options = SampleOptions(seed=1, chains=chains, draws=draws, progress=False, method="importance")
    result = sample(found, default_priors(found), options)
    names = [check.name for check in result.checks]
    assert ("r_hat" in names) == (chains > 1)
    assert "ess" in names
    assert "Posterior by" in repr(result)

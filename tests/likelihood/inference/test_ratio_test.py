"""The bootstrap likelihood-ratio test: its draws are those of whole fits, its counts by hand."""

import numpy as np
import pytest

import bayeslmm as bl
from bayeslmm.errors import OptionError
from bayeslmm.likelihood.bootstrap.kinds.parametric import Parametric
from bayeslmm.likelihood.inference.ratio_test import BootstrapRatioTest
from bayeslmm.runs.plan import generator


@pytest.fixture(scope="module")
def pair(fitter):
    return tuple(
        fitter(f"Reaction ~ Days + {bars}", "sleepstudy", "ML")
        for bars in ("(1 | Subject)", "(Days || Subject)")
    )


@pytest.mark.filterwarnings("ignore::bayeslmm.errors.BayesLMMWarning")
def test_draws_are_ratios_of_whole_fits(pair):
    small, big = pair
    test = bl.bootstrap_lrt(small, big, n=12, seed=4, progress=False)
    rows = Parametric().rows(small)
    mean = small.design.X @ small.beta_values
    for i, ratio in enumerate(test.draws):
        y = mean + rows(generator(4, i)).y
        expected = small.refit(y).criterion_value - big.refit(y).criterion_value
        assert ratio == pytest.approx(max(expected, 0), abs=2e-6)
    assert (test.draws == 0).any()
    assert test.statistic == pytest.approx(small.criterion_value - big.criterion_value)


def test_reml_fits_models_and_jobs_make_no_difference(pair, fitter):
    reml = [fitter(fit.formula, "sleepstudy") for fit in pair]
    models = [bl.LinearMixedModel(fit.formula, bl.load_dataset("sleepstudy")) for fit in pair]
    one = bl.bootstrap_lrt(*pair, n=120, seed=1, progress=False)
    for others in (reml, models):
        two = bl.bootstrap_lrt(*others, n=120, seed=1, n_jobs=2, progress=False)
        np.testing.assert_allclose(one.draws, two.draws, atol=1e-5)


def test_counts_by_hand():
    test = BootstrapRatioTest(1.0, 1, np.array([0, 0, 0.5, 1.0, 2.0, np.nan]), 1, "a", "b")
    assert (test.n, test.n_failed, test.n_extreme, test.n_positive) == (5, 1, 2, 3)
    assert test.p == pytest.approx(3 / 6)
    assert test.p_positive == pytest.approx(2 / 4)
    assert test.mc_error == pytest.approx(np.sqrt(0.25 / 5))
    assert "3 positive draws" in repr(test)
    assert test.table.loc["b", "n_failed"] == 1


@pytest.mark.parametrize(
    ("pick", "options", "message"),
    [
        ((1, 0), {}, "give the smaller one first"),
        ((0, 1), {"n": 0}, "at least 1"),
    ],
)
def test_bad_pairs(pair, pick, options, message):
    with pytest.raises(OptionError, match=message):
        bl.bootstrap_lrt(pair[pick[0]], pair[pick[1]], **options)


def test_what_is_no_model(pair):
    with pytest.raises(OptionError, match="got a str"):
        bl.bootstrap_lrt("y ~ x", pair[1])

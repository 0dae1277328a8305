"""Power by simulation: against its closed form, and what it says about itself."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import bayeslmm as bl
from bayeslmm.errors import BayesLMMWarning, OptionError


@pytest.fixture(scope="module")
def two_arms():
    """Twenty subjects in two arms, five rows each: an arm's effect has an exact F distribution."""
    subject = np.repeat(np.arange(20), 5)
    data = pd.DataFrame({"y": 0.0, "arm": (subject % 2) * 1.0, "subject": subject.astype(str)})
    random = np.random.default_rng(1)
    data["y"] = random.standard_normal(100) + random.standard_normal(20)[subject]
    return bl.LinearMixedModel("y ~ arm + (1 | subject)", data)


TRUTH = {"beta[Intercept]": 3.0, "beta[arm]": 1.2, "sd[subject: Intercept]": 0.8, "sigma": 1.0}


def test_power_of_a_balanced_design_is_that_of_its_f_test(two_arms):
    got = bl.power(two_arms, TRUTH, test="arm", n=400, seed=2, progress=False)
    per_subject = 0.8**2 + 1 / 5
    noncentral = 1.2**2 / (per_subject * (2 / 10))
    exact = stats.ncf.sf(stats.f.isf(0.05, 1, 18), 1, 18, noncentral)
    assert got.power == pytest.approx(exact, abs=4 * np.sqrt(exact * (1 - exact) / 400))
    assert got.interval[0] < got.power < got.interval[1]
    assert got.interval == pytest.approx(
        tuple(stats.binomtest(got.n_rejected, got.n).proportion_ci(0.95, "exact")), rel=1e-6
    )
    assert got.n_failed == 0
    np.testing.assert_allclose(got.truth, list(TRUTH.values()))
    assert "400 simulations" in repr(got)


def test_size_where_nothing_is_there(two_arms):
    got = bl.power(two_arms, TRUTH | {"beta[arm]": 0.0}, test="beta[arm]", n=400, seed=3, progress=False)
    assert got.power == pytest.approx(0.05, abs=4 * np.sqrt(0.05 * 0.95 / 400))


def test_same_numbers_whatever_the_jobs(two_arms):
    one, two = (
        bl.power(two_arms, TRUTH, test="arm", n=120, seed=2, n_jobs=jobs, progress=False) for jobs in (1, 2)
    )
    np.testing.assert_array_equal(one.pvalues, two.pvalues)


def test_other_tests(two_arms):
    small = bl.LinearMixedModel("y ~ arm", pd.DataFrame(data_of(two_arms)))
    ratio = bl.power(two_arms, TRUTH, test=small, n=20, seed=2, progress=False)
    assert ratio.power > 0.5
    assert "likelihood ratio" in ratio.test
    always = bl.power(two_arms, TRUTH, test=lambda fit: 0.01, n=5, seed=2, progress=False)
    assert always.power == 1.0
    assert always.interval == pytest.approx((0.025 ** (1 / 5), 1.0))


def data_of(model):
    block = model.design.blocks[0]
    return {"y": model.design.y, "arm": model.design.X[:, 1], "subject": np.array(block.levels)[block.codes]}


def test_what_isnt_named_is_as_fitted(two_arms):
    fit = two_arms.fit()
    got = bl.power(two_arms, {"beta[arm]": 2.0}, test="arm", n=3, seed=1, progress=False)
    assert got.truth["sigma"] == pytest.approx(fit.sigma)
    assert got.truth["beta[arm]"] == 2.0
    own = bl.power(two_arms, fit, test="arm", n=3, seed=1, progress=False)
    np.testing.assert_allclose(own.truth, fit.estimates().frame["estimate"])


def test_an_error_of_the_test_is_shown_and_counted(two_arms):
    calls = iter(range(1000))

    def fails_later(fit):
        if next(calls) > 2:
            raise RuntimeError("no more")
        return 0.01

    with pytest.warns(BayesLMMWarning, match="RuntimeError: no more"):
        got = bl.power(two_arms, TRUTH, test=fails_later, n=10, seed=1, progress=False)
    assert (got.n, got.n_failed) == (2, 8)


@pytest.mark.parametrize(
    ("truth", "options", "message"),
    [
        ({"beta[arn]": 1.0}, {"test": "arm"}, r"did you mean 'beta\[arm\]'"),
        (TRUTH, {"test": "arn"}, "did you mean 'arm'"),
        (TRUTH, {"test": "arm", "n": 0}, "at least 1"),
        (TRUTH, {"test": "arm", "alpha": 5}, "alpha is 5"),
    ],
)
def test_bad_options(two_arms, truth, options, message):
    with pytest.raises(OptionError, match=message):
        bl.power(two_arms, truth, progress=False, **options)


def correlated(**options: object) -> bl.LinearMixedModel:
    data = pd.DataFrame({"g": np.repeat(np.arange(30), 6), "t": np.tile(np.arange(6), 30)})
    data["y"], data["s"] = np.random.default_rng(1).normal(size=180), data["t"] % 2
    return bl.LinearMixedModel("y ~ t", data, **options)


AR1 = {"correlation": bl.correlation.AR1("t | g")}
OF_AR1 = {"beta[Intercept]": 1.0, "beta[t]": 0.0, "phi[AR1]": 0.7, "sigma": 2.0}


def test_rows_are_as_correlated_as_the_truth_says():
    def phi(fit):
        return float(fit.residual_parameters["value"].iloc[0])

    found = bl.power(correlated(**AR1), test=phi, truth=OF_AR1, n=40, seed=1, progress=False)
    assert found.pvalues.mean() == pytest.approx(0.7, abs=4 * found.pvalues.std() / np.sqrt(40))


def test_a_coefficient_among_correlated_rows():
    easy = bl.power(
        correlated(**AR1), test="t", truth={**OF_AR1, "beta[t]": 1.0}, n=10, progress=False, seed=1
    )
    assert easy.power == 1.0


@pytest.mark.parametrize(
    ("options", "truth"),
    [
        (AR1, OF_AR1 | {"phi[AR1]": 1.2}),
        ({"variance": bl.variance.Ident("s")}, {"sd[s: 0]": 1.0, "sigma": 2.0}),
        ({"correlation": bl.correlation.ARMA("t | g", p=1, q=1)}, {"phi[ARMA: ar1]": 1.5}),
    ],
    ids=["out of range", "two sigmas", "not stationary"],
)
def test_a_truth_that_no_residual_has(options, truth):
    with pytest.raises(OptionError, match="no residual has whose sigma"):
        bl.power(correlated(**options), test="t", truth=truth, n=2, progress=False)

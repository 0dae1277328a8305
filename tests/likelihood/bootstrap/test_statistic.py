"""Any function of a refit, standard errors of replicates, and the intervals that need more than draws."""

import warnings

import numpy as np
import pytest
from scipy import stats

from bayeslmm.errors import BayesLMMWarning, OptionError
from bayeslmm.likelihood.bootstrap.intervals import IntervalMethod, Sample
from bayeslmm.likelihood.bootstrap.jackknife import acceleration, leave_one_out
from bayeslmm.likelihood.bootstrap.parameters import parameters, standard_errors
from bayeslmm.likelihood.fit import fit
from bayeslmm.spec.build import build


def limits(method, sample, prob):
    return IntervalMethod.kinds()[method]().limits(sample, prob)


def test_statistic_is_asked_of_whole_refits(sleep):
    """Fitted values, residuals and predictions of a refit are those of a fit to the same rows."""
    seen = []

    def of_rows(refit):
        seen.append(refit)
        return np.r_[refit.fitted.iloc[0], refit.residuals.std(), refit.sigma]

    boot = sleep.bootstrap(n=5, seed=1, statistic=of_rows, progress=False)
    assert boot.labels == ("of_rows[0]", "of_rows[1]", "of_rows[2]")
    for row, refit in zip(boot.values, seen[1:], strict=True):
        whole = sleep.refit(refit.design.y)
        np.testing.assert_allclose(row, of_rows(whole), rtol=1e-4)
        assert refit.criterion_value == pytest.approx(whole.criterion_value, abs=1e-6)
    np.testing.assert_allclose(boot.estimate, of_rows(sleep))
    assert (boot.estimates(method="bca").frame["kind"] == "statistic").all()


def test_labels_of_a_statistic(sleep):
    series = sleep.bootstrap(n=3, seed=1, statistic=lambda f: f.beta, progress=False)
    assert series.labels == ("Intercept", "Days")
    number = sleep.bootstrap(n=3, seed=1, statistic=lambda f: f.sigma, progress=False)
    assert number.labels == ("statistic",)
    cases = sleep.bootstrap(n=3, kind="cases", seed=1, statistic=lambda f: f.design.q, progress=False)
    assert (cases.values == 36).all()


def test_first_error_of_a_statistic_is_shown_whole_and_all_are_counted(sleep):
    def above(refit):
        if refit.sigma > 25.5918:
            raise ZeroDivisionError(f"sigma is {refit.sigma:.3f}")
        return refit.sigma

    quiet = sleep.bootstrap(n=150, seed=2, statistic=lambda f: f.sigma, progress=False)
    with pytest.warns(BayesLMMWarning) as caught:
        boot = sleep.bootstrap(n=150, seed=2, statistic=lambda f: above(f) if f.design.y is not
                               sleep.design.y else f.sigma, progress=False)  # fmt: skip
    expected = quiet.values[:, 0] > 25.5918
    np.testing.assert_array_equal(boot.raised, expected)
    first = int(expected.argmax())
    assert len(caught) == 1
    message = str(caught[0].message)
    assert f"at replicate {first};" in message
    assert "Traceback" in message
    assert f"ZeroDivisionError: sigma is {quiet.values[first, 0]:.3f}" in message
    assert f"raised in {expected.sum()} of 150" in boot.notes[0]
    assert boot.estimates().frame["n_ok"].iloc[0] == 150 - expected.sum()


def test_wrong_number_of_values_counts_as_an_error(sleep):
    counts = iter([1, *[2] * 50])
    with pytest.warns(BayesLMMWarning, match="gave 2 values here, 1 for the fit itself"):
        boot = sleep.bootstrap(n=4, seed=2, statistic=lambda f: np.zeros(next(counts)), progress=False)
    assert boot.n_raised == 4


@pytest.mark.parametrize(
    ("statistic", "error", "message"),
    [
        ("sigma", OptionError, "give a function"),
        (lambda f: None, OptionError, "gave a NoneType, not numbers"),
        (lambda f: "high", OptionError, "gave a str, not numbers"),
        (lambda f: f.sigmma, AttributeError, "sigmma"),
    ],
)
def test_bad_statistics_show_before_any_work(sleep, statistic, error, message):
    with pytest.raises(error, match=message):
        sleep.bootstrap(n=10**9, statistic=statistic)


def test_standard_errors_of_replicates(sleep):
    np.testing.assert_allclose(standard_errors(sleep), sleep.estimates().frame["se"], rtol=1e-10)
    boot = sleep.bootstrap(n=4, seed=3, se=True, progress=False)
    made = sleep.bootstrap(n=4, seed=3, progress=False)
    np.testing.assert_array_equal(boot.values, made.values)
    np.testing.assert_array_equal(boot.se_draws, made.se_draws)
    asked = []
    sleep.bootstrap(n=4, kind="residual", seed=3, progress=False,
                    statistic=lambda f: asked.append(f) or f.sigma)  # fmt: skip
    rows = sleep.bootstrap(n=4, kind="residual", seed=3, se=True, progress=False)
    for se, refit in zip(rows.se_draws, asked[1:5], strict=True):
        whole = sleep.refit(refit.design.y)
        np.testing.assert_allclose(se, whole.estimates().frame["se"], rtol=5e-3)


def test_studentized_by_hand():
    rng = np.random.default_rng(1)
    draws, se = rng.normal(3, 1, 500), rng.uniform(0.5, 1.5, 500)
    t = np.quantile((draws - 2.5) / se, [0.05, 0.95])
    got = limits("studentized", Sample(2.5, draws, 0.8, se, kind="beta"), 0.9)
    assert got == pytest.approx((2.5 - 0.8 * t[1], 2.5 - 0.8 * t[0]))
    sample = Sample(2.5, draws := np.exp(draws), 0.8, se, kind="sd")
    t = np.quantile((np.log(draws) - np.log(2.5)) / (se / draws), [0.05, 0.95])
    got = limits("studentized", sample, 0.9)
    assert got == pytest.approx(tuple(np.exp(np.log(2.5) - 0.8 / 2.5 * t[::-1])))


def test_studentized_at_the_ends_of_a_range_has_no_limits():
    draws, se = np.linspace(0.1, 0.9, 50), np.full(50, 0.1)
    for kind, estimate in (("cor", 1.0), ("sd", 0.0)):
        assert np.isnan(limits("studentized", Sample(estimate, draws, np.nan, se, kind=kind), 0.9)).all()


def test_bca_is_the_percentile_interval_without_bias_and_acceleration():
    draws = np.linspace(-1, 1, 2001)
    plain = limits("percentile", Sample(0.0, draws), 0.9)
    assert limits("bca", Sample(0.0, draws, acceleration=0.0), 0.9) == pytest.approx(plain, abs=1e-3)


def test_bca_as_scipy_has_it():
    x = np.random.default_rng(2).exponential(size=40)
    scipy = stats.bootstrap((x,), np.mean, n_resamples=4000, method="BCa", rng=np.random.default_rng(3))
    jackknife = (x.sum() - x) / (len(x) - 1)
    a = float(acceleration(jackknife[:, None])[0])
    got = limits("bca", Sample(x.mean(), scipy.bootstrap_distribution, acceleration=a), 0.95)
    assert got == pytest.approx(tuple(scipy.confidence_interval), rel=2e-3)


def test_jackknife_leaves_out_the_coarsest_level(pastes):
    values = leave_one_out(pastes, parameters)
    assert values.shape == (10, 4)
    spec = build_spec(pastes)
    data = spec[1]
    design, recipe = build(spec[0], data[data["batch"] != data["batch"].iloc[0]])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", BayesLMMWarning)
        np.testing.assert_allclose(values[0], parameters(fit(design, pastes.options, "", recipe)), rtol=1e-3)


def build_spec(pastes):
    from bayeslmm.datasets import load_dataset
    from bayeslmm.spec.model_spec import ModelSpec

    return ModelSpec(pastes.formula), load_dataset("Pastes")


@pytest.mark.parametrize("method", IntervalMethod.kinds())
def test_intervals_of_a_real_bootstrap(sleep, method):
    boot = sleep.bootstrap(n=300, seed=1, progress=False)
    table, wald = boot.confint(method, 0.9), sleep.estimates(0.9).frame
    assert list(table.columns) == ["lower", "upper"]
    inside = table.drop("cor[Subject: Intercept, Days]")
    estimate = wald.loc[inside.index, "estimate"]
    assert ((inside["lower"] < estimate) & (estimate < inside["upper"])).all()
    for label in ("beta[Days]", "sigma"):
        width = wald.loc[label, "upper"] - wald.loc[label, "lower"]
        assert table.loc[label, "upper"] - table.loc[label, "lower"] == pytest.approx(width, rel=0.3)
    frame = boot.estimates(0.9, method).frame
    assert frame["n_ok"].between(280, 300).all()


def test_studentized_needs_standard_errors(sleep):
    boot = sleep.bootstrap(n=5, seed=1, statistic=lambda f: f.sigma, progress=False)
    with pytest.raises(OptionError, match="standard error of every draw"):
        boot.confint("studentized")
    with pytest.raises(OptionError, match="has none"):
        sleep.bootstrap(n=5, se=True, statistic=lambda f: f.sigma, progress=False)

"""Every sampler on sleepstudy, against the others and against what ArviZ expects."""

import numpy as np
import pytest
from scipy.stats import norm

from bayeslmm.errors import OptionError, SamplingWarning
from bayeslmm.posterior.options import SampleOptions
from bayeslmm.posterior.sample import sample
from bayeslmm.runs import progress
from bayeslmm.spec.build import build
from bayeslmm.spec.model_spec import ModelSpec
from bayeslmm.spec.priors import default_priors

from .conftest import ONE_WAY, SLEEPSTUDY, run_of


@pytest.mark.parametrize("method", ["marginal", pytest.param("explicit", marks=pytest.mark.slow)])
def test_methods_agree_within_monte_carlo_error(run, method):
    one = run(SLEEPSTUDY, "sleepstudy", method="importance", seed=20).estimates(ranef=True).frame
    other = run(SLEEPSTUDY, "sleepstudy", method=method, seed=20).estimates(ranef=True).frame
    z = (one["mean"] - other["mean"]) / np.hypot(one["mcse"], other["mcse"])
    assert z.abs().max() < 4
    assert np.abs(np.log(one["sd"] / other["sd"])).max() < 0.15


@pytest.mark.parametrize(("asked", "said"), [(True, {"Weighing draws"}), (False, set())])
def test_what_draws_no_bar_says_how_long_it_takes(asked, said, sleepstudy, monkeypatch, capsys):
    monkeypatch.setattr(progress, "EVERY", 0.001)
    sample(
        sleepstudy,
        default_priors(sleepstudy),
        SampleOptions(100, seed=1, method="importance", progress=asked),
    )
    assert {line.partition(":")[0] for line in capsys.readouterr().err.splitlines()} == said


def test_result_says_what_it_did(posterior):
    assert posterior.method == posterior.options.method
    assert posterior.seed == 20
    assert posterior.data.attrs["method"] == posterior.method
    assert "version_pymc" in posterior.data.attrs
    assert all(seconds >= 0 for seconds in posterior.timings.values())


def test_data_has_the_agreed_variables(posterior):
    found = posterior.data["posterior"]
    assert set(found.data_vars) == {"beta", "sd_Subject", "cor_Subject", "sigma", "ranef_Subject"}
    assert found["ranef_Subject"].dims == ("chain", "draw", "Subject", "Subject_effect")
    assert found["cor_Subject"].dims == ("chain", "draw", "Subject_pair")
    groups = {"posterior", "sample_stats", "log_prior", "observed_data", "constant_data"}
    assert set(posterior.data.children) == groups | {"log_likelihood", "log_likelihood_group"}


def test_log_likelihood_is_conditional_on_the_effects(posterior):
    data, design = posterior.data["posterior"], posterior.design
    draw = {"chain": 1, "draw": 7}
    b = data["ranef_Subject"].isel(draw).values.ravel()
    mean = design.X @ data["beta"].isel(draw).values + design.Z @ b
    expected = norm.logpdf(design.y, mean, float(data["sigma"].isel(draw)))
    np.testing.assert_allclose(posterior.data["log_likelihood"]["y"].isel(draw), expected, rtol=1e-10)


@pytest.mark.filterwarnings("ignore:Estimated shape parameter:UserWarning")
def test_arviz_takes_it(posterior):
    import arviz as az

    summary = az.summary(posterior.data, var_names=["beta", "sd_Subject", "cor_Subject", "sigma"])
    assert list(summary.index[:2]) == ["beta[Intercept]", "beta[Days]"]
    loo = az.loo(posterior.data)
    assert loo.elpd == pytest.approx(-860, abs=15)
    az.psense_summary(posterior.data, var_names=["sigma", "sd_Subject"])


def test_estimates_carry_labels_and_diagnostics(posterior):
    table = posterior.estimates(prob=0.9)
    assert table.labels == (
        "beta[Intercept]",
        "beta[Days]",
        "sd[Subject: Intercept]",
        "sd[Subject: Days]",
        "cor[Subject: Intercept, Days]",
        "sigma",
    )
    assert (table.source, table.interval, table.prob) == ("posterior", "eti", 0.9)
    frame = table.frame
    assert (frame["lower"] < frame["median"]).all()
    assert (frame["ess_bulk"] > 300).all()
    draws = np.asarray(posterior.data["posterior"]["sigma"])
    np.testing.assert_allclose(
        frame.loc["sigma", ["lower", "upper"]].astype(float), np.quantile(draws, [0.05, 0.95])
    )


def test_highest_density_interval_is_the_shorter(posterior):
    eti, hdi = posterior.estimates().frame, posterior.estimates(interval="hdi").frame
    assert ((hdi["upper"] - hdi["lower"]) <= 1.01 * (eti["upper"] - eti["lower"])).all()
    with pytest.raises(OptionError, match="'hdi'"):
        posterior.estimates(interval="hpd")


def test_ranef_table_is_tidy(posterior):
    table = posterior.ranef_table()
    assert list(table.columns[:3]) == ["group", "level", "coef"]
    assert len(table) == posterior.design.q
    found = posterior.data["posterior"]["ranef_Subject"].sel(Subject="309", Subject_effect="Days").mean()
    row = table[(table["level"] == "309") & (table["coef"] == "Days")]
    assert float(row["mean"].iloc[0]) == pytest.approx(float(found))


def test_checks_pass_and_speak(posterior):
    assert {"r_hat", "ess"} <= {check.name for check in posterior.checks}
    assert next(c for c in posterior.checks if c.name == "ess").passed
    assert f"Posterior by {posterior.method}" in repr(posterior)


def test_auto_compiles_no_graph_where_importance_passes(run):
    result = run(SLEEPSTUDY, "sleepstudy", seed=20)
    assert result.method == "importance"
    assert "passes the gate" in result.reason
    same = run(SLEEPSTUDY, "sleepstudy", method="importance", seed=20)
    np.testing.assert_array_equal(result.data["posterior"]["beta"], same.data["posterior"]["beta"])


def test_boundary_without_divergences():
    """REML's variance is 0 on Dyestuff2; the marginal graph with default options doesn't mind."""
    result = run_of(ONE_WAY, "Dyestuff2", method="marginal", seed=1, cores=1)
    assert int(result.data["sample_stats"]["diverging"].sum()) == 0
    assert all(check.passed for check in result.checks)


def test_draws_do_not_depend_on_the_number_of_cores():
    one, two = (run_of(ONE_WAY, "Dyestuff2", method="marginal", seed=1, cores=n) for n in (1, 2))
    other = run_of(ONE_WAY, "Dyestuff2", method="importance", seed=1, cores=1)
    again = run_of(ONE_WAY, "Dyestuff2", method="importance", seed=1, cores=2)
    for name in ("beta", "sd_Batch", "sigma", "ranef_Batch"):
        np.testing.assert_array_equal(one.data["posterior"][name], two.data["posterior"][name])
        np.testing.assert_array_equal(other.data["posterior"][name], again.data["posterior"][name])


def test_importance_gives_way_to_nuts_and_says_so(design, monkeypatch):
    found = design(ONE_WAY, "Dyestuff2")
    monkeypatch.setattr("bayeslmm.posterior.methods.importance.PARETO_K", -10.0)
    options = SampleOptions(method="importance", draws=100, tune=200, chains=2, seed=3, progress=False)
    with pytest.warns(SamplingWarning, match="gave way to NUTS"):
        result = sample(found, default_priors(found), options)
    assert result.method == "marginal"
    assert "fails the gate" in result.reason


def test_known_sigma_isnt_a_parameter(sleepstudy):
    found = build(ModelSpec(SLEEPSTUDY, sigma=25.0), _sleepstudy()).design
    priors = default_priors(found)
    options = SampleOptions(draws=200, chains=2, seed=1, progress=False)
    result = sample(found, priors, options)
    assert "sigma" not in result.data["posterior"]
    assert "sigma" not in result.estimates().labels
    assert result.estimates().frame.loc["beta[Days]", "mean"] == pytest.approx(10.47, abs=0.6)


def test_a_model_with_nothing_left_to_sample_is_drawn_exactly():
    found = build(ModelSpec("Reaction ~ Days", sigma=50.0), _sleepstudy()).design
    priors = default_priors(found)
    result = sample(found, priors, SampleOptions(seed=1, progress=False))
    frame = result.estimates().frame
    se = 50.0 * np.sqrt(np.diag(np.linalg.inv(found.X.T @ found.X)))
    assert "exact" in result.reason
    np.testing.assert_allclose(frame["sd"], se, rtol=0.05)
    assert np.all(np.abs(frame["mean"] - np.linalg.lstsq(found.X, found.y)[0]) < 5 * frame["mcse"])


def test_an_unknown_seed_is_recorded(design):
    found = design(ONE_WAY, "Dyestuff2")
    options = SampleOptions(draws=50, chains=2, method="importance", progress=False)
    first = sample(found, default_priors(found), options)
    again = sample(
        found,
        default_priors(found),
        SampleOptions(draws=50, chains=2, method="importance", progress=False, seed=first.seed),
    )
    np.testing.assert_array_equal(first.data["posterior"]["sigma"], again.data["posterior"]["sigma"])


def _sleepstudy():
    from bayeslmm.datasets import load_dataset

    return load_dataset("sleepstudy")

"""Widths, intervals, effects, corrections and other priors of one comparison, and the waterfall."""

import numpy as np
import pytest

import bayeslmm
from bayeslmm.errors import InputError, PriorError
from bayeslmm.parity.run_check import Expected, run_checks
from bayeslmm.parity.terms import singular_terms
from bayeslmm.parity.verdicts.evidence import VerdictOptions


@pytest.fixture(scope="module")
def par():
    data = bayeslmm.load_dataset("sleepstudy")
    model = bayeslmm.LinearMixedModel("Reaction ~ Days + (Days | Subject)", data)
    fit = model.fit()
    boot = fit.bootstrap(n=200, seed=1, progress=False)
    post = model.sample(method="importance", seed=1, progress=False)
    return bayeslmm.compare(fit, boot, post, estimands={"day 9": {"beta[Intercept]": 1, "beta[Days]": 9}})


def test_widths_of_an_effect_are_a_chain(par):
    rows = par.widths[par.widths["label"] == "beta[Intercept]"].set_index(["side", "rung"])
    z, t = rows.loc[("likelihood", "z")], rows.loc[("likelihood", "t")]
    assert z["half_width"] == pytest.approx(1.959964 * 6.8246, abs=1e-3)
    assert t["half_width"] / z["half_width"] == pytest.approx(t["ratio"])
    ours = rows.loc["posterior"].iloc[:4]
    assert np.prod(ours["ratio"]) == pytest.approx(ours["half_width"].iloc[-1] / z["half_width"])
    assert ours["half_width"].iloc[-1] / z["half_width"] == pytest.approx(1.13, abs=0.01)
    assert ours["half_width"].iloc[-1] / t["half_width"] == pytest.approx(1.05, abs=0.01)


def test_widths_of_a_combination_and_a_variance(par):
    of_day = par.widths[par.widths["label"] == "day 9"]
    se = np.sqrt([1.0, 9.0] @ np.array([[46.574, -1.451], [-1.451, 2.389]]) @ [1.0, 9.0])  # lme4's vcov
    assert of_day["half_width"].iloc[:2].tolist() == pytest.approx([1.959964 * se, 2.10982 * se], rel=1e-3)
    assert set(par.widths[par.widths["label"] == "sigma"]["side"]) == {"likelihood", "bootstrap", "posterior"}


def test_a_variance_is_judged_by_its_sd_over_its_standard_error(par):
    place = par.steps.study.estimands.labels.index("sd[Subject: Days]")
    ratio, best = par._widths.against_best(place)
    assert best == "z"
    posterior_sd = par.table.set_index("label").loc["sd[Subject: Days]", "sd"].iloc[0]
    assert ratio == pytest.approx(posterior_sd / 1.249, rel=0.03)  # lme4's standard error by the delta method
    assert "times as wide as the z one" in par.verdicts.sentence("sigma")


def test_intervals_are_judged_by_the_likelihoods_best(par):
    table = par.intervals.set_index(["label", "method"])
    assert table.loc[("beta[Days]", "satterthwaite"), "overlap"] == pytest.approx(1)
    assert table.loc[("sd[Subject: Days]", "profile"), "width_ratio"] == pytest.approx(1)
    assert table.loc[("beta[Days]", "z"), "width_ratio"] < 1
    assert {"kenward-roger", "percentile", "bca", "eti", "hdi"} <= set(par.intervals["method"])
    assert table.loc[("ranef[Subject=308: Days]", "eti"), "width_ratio"] == pytest.approx(1.08, abs=0.03)


def test_random_effects_of_both_sides(par):
    row = par.ranef.loc["ranef[Subject=308: Days]"]
    assert row["blup"] == pytest.approx(9.199, abs=1e-3)
    assert row["shrinkage"] == pytest.approx((2.305 / 5.922) ** 2, abs=1e-3)
    assert 0.05 < row["share"] < 0.15
    assert row["post_lower"] < row["mean"] < row["post_upper"]


def test_corrections_lay_the_bootstrap_beside_integration(par):
    row = par.corrections.loc["sd[Subject: Days]"]
    assert row["corrected"] + row["bias"] == pytest.approx(5.922, abs=1e-3)
    assert row["integration"] > 0
    assert row["share_at_zero"] == 0
    assert np.isnan(par.corrections.loc["beta[Days]", "share_at_zero"])


def test_without_a_bootstrap_there_is_nothing_to_lay_beside(par):
    assert bayeslmm.compare(par.sides.posterior.result).corrections.empty


def test_other_priors_move_the_posterior(par):
    found = par.sensitivity().set_index(["label", "priors"])
    assert set(found.index.levels[1]) == {"as sampled", "flat", "default", "half as wide", "twice as wide"}
    assert (found.xs("default", level=1)["moved"] == 0).all()
    assert found.loc[("sd[Subject: Days]", "half as wide"), "moved"] < 0
    assert found.loc[("sd[Subject: Days]", "twice as wide"), "moved"] > 0


def test_priors_of_a_users_own_are_tried(par):
    found = par.sensitivity({"narrow": {"sd[Subject: Days]": bayeslmm.HalfNormal(2)}}).set_index(
        ["label", "priors"]
    )
    assert found.loc[("sd[Subject: Days]", "narrow"), "moved_over_scale"] < -0.3
    with pytest.raises(PriorError):
        par.sensitivity({"wrong": {"sd[Subject: Day]": bayeslmm.HalfNormal(2)}})


def test_other_priors_are_given_as_a_model_takes_them(par):
    import pymc as pm

    given = {"PyMC": {"sd[Subject: Days]": pm.HalfNormal.dist(2)}, "weak": "weak"}
    found = par.sensitivity(given).set_index(["label", "priors"])
    assert found.loc[("sd[Subject: Days]", "PyMC"), "moved_over_scale"] < -0.3
    assert found.loc[("beta[Days]", "weak"), "moved_over_scale"] == pytest.approx(0, abs=0.05)
    with pytest.raises(PriorError, match="not as a int"):
        par.sensitivity({"wrong": 3})


def test_a_waterfall_has_every_rung(par):
    figure = par.plot_ladder("sd[Subject: Days]")
    rungs = par.ladder.query("label == 'sd[Subject: Days]'")["rung"].tolist()
    assert list(figure.layout.yaxis.ticktext) == rungs
    assert figure.layout.xaxis.title.text == "Reaction"
    assert par.plot_ladder("cor[Subject: Intercept, Days]").layout.xaxis.title.text == "correlation"
    with pytest.raises(InputError, match=r"sd\[Subject: Days\]"):
        par.plot_ladder("sd[Subject: Day]")


def checked(mean, mcse, expected, error=0.0, r_hat=1.0, problem=""):
    import pandas as pd

    sampled = pd.DataFrame({"mean": [mean], "mcse": [mcse], "r_hat": [r_hat]}, index=["beta[x]"])
    told = Expected(("beta[x]",), *(np.array([value]) for value in (expected, error, 1.0)))
    return run_checks(sampled, told, problem, VerdictOptions())["beta[x]"]


def test_a_run_is_checked_against_what_it_should_say():
    assert checked(1.0, 0.01, 1.02) == "passed"
    assert checked(1.0, 0.01, 1.05) == "disagree"
    assert checked(1.0, 0.01, 1.05, error=0.04) == "passed"
    assert checked(1.0, 0.1, 1.0) == "too noisy"
    assert checked(1.0, 0.01, 1.0, r_hat=1.2) == "chains disagree (R-hat 1.20)"
    assert (
        checked(1.0, 0.01, 1.0, problem="12 of 100 transitions diverged") == "12 of 100 transitions diverged"
    )
    assert checked(1.0, 0.01, np.nan) == "passed"


def test_labels_of_a_singular_term_are_its_own():
    data = bayeslmm.load_dataset("Dyestuff2").assign(half=lambda d: np.arange(len(d)) % 2)
    with pytest.warns(UserWarning, match="singular"):
        fit = bayeslmm.LinearMixedModel("Yield ~ 1 + (1 | Batch) + (1 | half)", data).fit()
    terms = singular_terms(fit)
    assert terms["sd[Batch: Intercept]"][0] == "(Intercept | Batch)"
    assert sum(label.startswith("ranef[Batch=") for label in terms) == 6
    assert not any("beta" in label or "sigma" in label for label in terms)

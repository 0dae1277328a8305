"""Steps add up, missing rungs say why, and figures worked out by hand are met."""

from itertools import pairwise

import numpy as np
import pytest

import bayeslmm
from bayeslmm.errors import InputError
from bayeslmm.estimands.combinations import Combinations
from bayeslmm.parity.ladder.ladder import JUMP, Ladder
from bayeslmm.parity.ladder.rungs.base import rungs
from tests.parity.ladder.studies import study_from

SLEEP = "Reaction ~ Days + (1 | Subject)"


def ladder_of(formula, data, priors=None, estimands=None, **options):
    rows = bayeslmm.load_dataset(data) if isinstance(data, str) else data
    return Ladder(
        study_from(bayeslmm.LinearMixedModel(formula, rows, priors=priors, **options), estimands=estimands)
    )


def way(ladder, label):
    return ladder.frame[ladder.frame["label"] == label].set_index("rung")


MODELS = {
    "default": (SLEEP, "sleepstudy", None, {}),
    "known sigma": (SLEEP, "sleepstudy", None, {"sigma": 30.0}),
    "no bars": ("Reaction ~ Days", "sleepstudy", {"beta[Days]": bayeslmm.Normal(0, 2)}, {}),
    "nothing but beta": ("Reaction ~ Days", "sleepstudy", None, {"sigma": 30.0}),
    "singular": ("Yield ~ 1 + (1 | Batch)", "Dyestuff2", None, {}),
    "one shared correlation": ("score ~ Machine + cs(1 + Machine | Worker)", "Machines", None, {}),
    "weights": (SLEEP, "sleepstudy", None, {"weights": np.linspace(0.5, 2, 180)}),
    "exponential": (SLEEP, "sleepstudy", {"sd": bayeslmm.Exponential(0.1)}, {}),
    "gamma": (SLEEP, "sleepstudy", {"sd": bayeslmm.Gamma(2, 0.1), "sigma": bayeslmm.Gamma(2, 0.1)}, {}),
    "beyond a bound": (SLEEP, "sleepstudy", {"sd": bayeslmm.Uniform(0, 30)}, {}),
}


@pytest.mark.parametrize("name", MODELS)
def test_steps_add_up_over_the_rungs_that_exist(name):
    formula, data, priors, options = MODELS[name]
    ladder = ladder_of(formula, data, priors, **options)
    for _, rows in ladder.frame.groupby("label"):
        known = rows.dropna(subset=["value"])
        values = known["value"].to_numpy()
        assert known["step"].sum() == pytest.approx(values[-1] - values[0], abs=1e-9 * (1 + abs(values[-1])))
        assert known["step"].notna().sum() == len(known) - 1
        assert rows.loc[rows["value"].isna(), "reason"].str.len().gt(0).all()
        assert known["rung"].iloc[-1] == "mean"


def test_the_bounds_of_a_prior_hold_the_mode():
    formula, data, priors, _ = MODELS["beyond a bound"]
    study = ladder_of(formula, data, priors).study
    value, _ = study.at(study.mode(("sd",)), ("sd",))
    assert value[study.estimands.labels.index("sd[Subject: Intercept]")] == pytest.approx(30)


@pytest.mark.parametrize(
    ("priors", "rung", "reason"),
    [
        ({"beta[Days]": bayeslmm.StudentT(4, 0, 3)}, "prior of beta", "isn't normal"),
        ({"sd": bayeslmm.Gamma(0.5, 0.01)}, "priors of sd", "density unbounded"),
    ],
)
def test_a_rung_that_does_not_exist_says_why_and_its_cause_is_merged(priors, rung, reason):
    found = way(ladder_of(SLEEP, "sleepstudy", priors), "beta[Days]")
    assert np.isnan(found.loc[rung, "value"])
    assert reason in found.loc[rung, "reason"]
    assert found.loc["mean", "cause"].startswith(f"{rung} + ")
    assert found.loc["mean", "cause"].endswith(" + averaging over the variances")


def test_a_correlation_is_not_identified_where_an_sd_is_0():
    rng = np.random.default_rng(4)
    import pandas as pd

    data = pd.DataFrame({"g": np.repeat(np.arange(8), 6), "x": np.tile(np.arange(6.0), 8)})
    data["y"] = rng.standard_normal(48) + rng.standard_normal(8)[data["g"]]
    ladder = ladder_of("y ~ x + (x | g)", data)
    cor = way(ladder, "cor[g: Intercept, x]")
    gone = way(ladder, "sd[g: x]")["value"] == 0
    assert cor.loc[gone[gone].index.intersection(cor.index), "value"].isna().all()
    assert cor.loc["mean", "reason"] == ""
    assert np.isfinite(cor.loc["mean", "value"])


def test_machines_as_worked_out_by_hand():
    ladder = ladder_of("score ~ Machine + (0 + Machine | Worker)", "Machines")
    cor, sd = way(ladder, "cor[Worker: Machine[A], Machine[B]]"), way(ladder, "sd[Worker: Machine[A]]")
    order = ["flat mode", "priors of sd", "priors of cor", "prior of sigma"]
    assert cor.loc[order, "value"].round(3).tolist() == [0.803, 0.801, 0.655, 0.655]
    assert sd.loc[order, "value"].round(3).tolist() == [4.079, 4.063, 3.650, 3.650]
    assert cor.loc["mean", "value"] == pytest.approx(0.362, abs=0.0014 * 3 + cor.loc["mean", "error"])


def test_sleepstudy_under_strong_priors_as_worked_out_by_hand():
    priors = {"beta[Days]": bayeslmm.Normal(0, 2), "sd[Subject: Days]": bayeslmm.HalfNormal(2)}
    ladder = ladder_of("Reaction ~ Days + (Days | Subject)", "sleepstudy", priors)
    order = ["flat mode", "prior of beta", "priors of sd", "priors of cor", "prior of sigma", "mean"]
    by_hand = {
        "beta[Days]": [10.467, 5.357, 6.973, 6.965, 6.965, 6.808],
        "sd[Subject: Days]": [5.922, 7.794, 5.295, 5.306, 5.308, 5.523],
        "ranef[Subject=308: Days]": [9.20, 14.50, 11.48, 11.52, 11.53],
    }
    for label, values in by_hand.items():
        places = 2 if label.startswith("ranef") else 3
        found = way(ladder, label).loc[order[: len(values)], "value"]
        assert found.tolist() == pytest.approx(values, abs=0.6 * 10**-places)
    beta = way(ladder, "beta[Days]").loc["prior of beta"]
    assert beta["step"] == pytest.approx(-5.11, abs=0.005)
    assert beta["away"] == pytest.approx(-3.50, abs=0.005)


def test_a_boundary_avoiding_prior_puts_the_mode_about_a_standard_error_off_0():
    ladder = ladder_of("Yield ~ 1 + (1 | Batch)", "Dyestuff2", {"sd": bayeslmm.Gamma(2, 1e-4)})
    found = way(ladder, "sd[Batch: Intercept]")
    assert found.loc["REML", "value"] == 0
    assert 1 < found.loc["priors of sd", "value"] < 1.5


def test_a_jump_between_modes_is_a_step_of_its_own():
    import pandas as pd

    rng = np.random.default_rng(0)
    data = pd.DataFrame({"g": np.repeat(np.arange(30), 3)})
    data["y"] = 50 * rng.standard_normal(30)[data["g"]] + rng.standard_normal(90)
    found = way(ladder_of("y ~ 1 + (1 | g)", data, {"sd": bayeslmm.HalfNormal(0.6)}), "sigma")
    assert found.loc["priors of sd", "cause"] == JUMP
    assert found.loc["priors of sd, within the mode", "value"] < 2
    assert found.loc["priors of sd", "value"] > 20


def test_what_a_user_follows():
    given = {
        "ratio": lambda v: v["sd[Subject: Intercept]"] / v["sigma"],
        "day 9": {"beta[Intercept]": 1, "beta[Days]": 9},
        "made": Combinations(("twice",), np.array([[0.0, 2.0]]), np.zeros((1, 18))),
    }
    ladder = ladder_of(SLEEP, "sleepstudy", {"beta[Days]": bayeslmm.Normal(0, 2)}, given)
    values = {label: way(ladder, label)["value"].dropna() for label in ladder.study.estimands.labels}
    np.testing.assert_allclose(values["day 9"], values["beta[Intercept]"] + 9 * values["beta[Days]"])
    np.testing.assert_allclose(values["twice"], 2 * values["beta[Days]"])
    modes = values["ratio"].drop("mean")
    ratio = values["sd[Subject: Intercept]"] / values["sigma"]
    np.testing.assert_allclose(modes, ratio[modes.index])
    sd = dict(zip(ladder.study.estimands.labels, ladder.study.sd, strict=True))
    assert sd["twice"] == pytest.approx(2 * sd["beta[Days]"], rel=0.01)
    icc = values["icc[Subject]"]["REML"]
    assert icc == pytest.approx(37.12**2 / (37.12**2 + 30.99**2), abs=1e-3)


def test_a_function_of_effects_has_no_mean_without_draws():
    given = {"ratio": lambda v: v["beta[Days]"] / v["beta[Intercept]"], "all": lambda v: sum(v.values())}
    ladder = ladder_of(SLEEP, "sleepstudy", None, given)
    for label in given:
        found = way(ladder, label)
        assert "its draws tell it" in found.loc["mean", "reason"]
        assert found.loc["mean", ["value", "error"]].isna().all()
        assert found.loc["REML", "value"] == pytest.approx(found.loc["prior of sigma", "value"], rel=0.2)


def test_draws_tell_the_mean_of_a_function_of_effects():
    """E[b²] isn't (E[b])²: what the ladder had, a step too small by the variance of b."""
    model = bayeslmm.LinearMixedModel(SLEEP, bayeslmm.load_dataset("sleepstudy"))
    post = model.sample(method="importance", draws=500, chains=2, seed=1, progress=False)
    par = bayeslmm.compare(
        model.fit(), post, estimands={"square": lambda v: v["ranef[Subject=308: Intercept]"] ** 2}
    )
    found = par.ladder[par.ladder["label"] == "square"].set_index("rung")
    draws = post.draws_frame(["ranef[Subject=308: Intercept]"]).iloc[:, -1].to_numpy() ** 2
    assert found.loc["sampled", "value"] == pytest.approx(draws.mean())
    assert found.loc["sampled", "cause"] == "integration + Monte Carlo"
    assert found["step"].iloc[1:].sum() == pytest.approx(draws.mean() - found["value"].iloc[0])
    assert par.verdicts.run_check("icc[Subject]") == "passed"


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"sigma": {"beta[Days]": 1}}, "another name"),
        ({"a": {"beta[Day]": 1}}, r"beta\[Days\]"),
        ({"a": {"sigma": 1}}, "take a function"),
        ({"a": 3}, "give a function"),
        (["a"], "by name, not as a list"),
        (
            {"a": lambda v: v["sd[Subjct: Intercept]"]},
            r"reads 'sd\[Subjct.*did you mean 'sd\[Subject: Intercept",
        ),
        ({"a": lambda v: np.ones(3)}, r"shape \(3,\)"),
    ],
)
def test_what_can_not_be_followed_is_named(given, message):
    with pytest.raises(InputError, match=message):
        ladder_of(SLEEP, "sleepstudy", None, given)


def test_every_rung_has_a_place_of_its_own():
    assert all(first.place < second.place for first, second in pairwise(rungs()))

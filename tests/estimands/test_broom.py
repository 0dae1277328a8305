"""Tidy, glance and augment of both engines; the numbers are those of other verbs, or of lme4 1.1."""

import numpy as np
import pandas as pd
import pytest

import bayeslmm as bl
from bayeslmm.errors import OptionError

COLUMNS = ["effect", "group", "term", "estimate", "std.error", "statistic", "df", "p.value"]
# lme4's cooks.distance and hatvalues of the first six rows
COOKS = [0.004963132515, 0.040206201856, 0.226099184758, 0.007313246991, 0.050573041714, 0.361951373182]
HAT = [0.22930403774, 0.16972999380, 0.12682371502, 0.10058520140, 0.09101445295, 0.09811146965]


@pytest.fixture(scope="module")
def fit():
    model = bl.LinearMixedModel("Reaction ~ Days + (Days | Subject)", bl.load_dataset("sleepstudy"))
    return model.fit()


@pytest.fixture(scope="module")
def post():
    model = bl.LinearMixedModel("Reaction ~ Days + (Days | Subject)", bl.load_dataset("sleepstudy"))
    return model.sample(draws=200, seed=1, method="importance", progress=False)


def test_tidy_has_brooms_columns_and_terms(fit):
    table = fit.tidy()
    assert list(table.columns) == [*COLUMNS, "conf.low", "conf.high"]
    assert table["term"].tolist() == [
        "Intercept",
        "Days",
        "sd__Intercept",
        "sd__Days",
        "cor__Intercept.Days",
        "sd__Observation",
    ]
    assert table["group"].tolist() == ["", "", "Subject", "Subject", "Subject", "Residual"]
    tested = fit.coef_table()
    np.testing.assert_array_equal(table["p.value"][:2], tested["p"])
    np.testing.assert_array_equal(table["estimate"], fit.estimates().frame["estimate"])


def test_tidy_of_random_effects_names_their_levels(fit, post):
    for table in (fit.tidy("ran_vals"), post.tidy("ran_vals")):
        assert table[["group", "level", "term"]].iloc[1].tolist() == ["Subject", "308", "Days"]
        assert len(table) == 36
    np.testing.assert_array_equal(fit.tidy("ran_vals")["estimate"], fit.b)
    assert fit.tidy(["ran_vals", "fixed"])["effect"].iloc[0] == "fixed"


def test_both_engines_tidy_the_same_terms(fit, post):
    keys = ["effect", "group", "term"]
    pd.testing.assert_frame_equal(fit.tidy()[keys], post.tidy()[keys])


def test_a_misspelt_effect_is_told(fit, post):
    for each in (fit, post):
        with pytest.raises(OptionError, match="effects 'random' isn't known; choices: 'fixed'"):
            each.tidy("random")
        with pytest.raises(OptionError, match="effects 3 isn't known"):
            each.tidy(3)


def test_glance_is_one_row(fit, post):
    row = fit.glance().iloc[0]
    assert row["df.residual"] == 174
    assert row["REMLcrit"] == fit.criterion_value
    assert post.glance().iloc[0]["pss"] == post.n_draws


def test_augment_is_lme4s(fit, post):
    rows = fit.augment()
    np.testing.assert_allclose(rows[".cooksd"][:6], COOKS, rtol=1e-4)
    np.testing.assert_allclose(rows[".hat"][:6], HAT, rtol=1e-5)
    np.testing.assert_allclose(rows["Reaction"], rows[".fitted"] + rows[".resid"])
    assert rows["Subject"].iloc[0] == "308"
    np.testing.assert_allclose(post.augment()[".fitted"], rows[".fitted"], atol=6)


def test_augment_keeps_the_users_rows():
    data = bl.load_dataset("sleepstudy").iloc[::-1]
    data.index = ["row"] * len(data)
    rows = bl.LinearMixedModel("Reaction ~ Days + (1 | Subject)", data).fit().augment()
    np.testing.assert_array_equal(rows["Reaction"], data["Reaction"])
    assert set(rows.index) == {"row"}


def test_models_stand_side_by_side(fit, post):
    both = bl.side_by_side(fit, post, names=["REML", "posterior"])
    assert both.loc["beta[Days]", "REML"] == "10.47 (1.55)"
    assert both.index[-1] == "algorithm"
    assert both.loc["algorithm"].tolist() == ["", "importance"]
    assert "| nobs | 180 | 180 |" in both.to_markdown()


@pytest.mark.parametrize("names", [["a"], ["a", "a"], "ab", 3])
def test_names_of_columns_are_as_many_as_models(fit, names):
    with pytest.raises(OptionError, match="give 2 different ones"):
        bl.side_by_side(fit, fit, names=names)


def test_only_results_stand_side_by_side(fit):
    with pytest.raises(OptionError, match="takes fits and posteriors"):
        bl.side_by_side(fit, 3)


def test_the_summary_has_p(fit):
    text = str(fit.summary())
    assert "Fixed effects (Satterthwaite df):" in text
    assert "< 0.001" in text
    assert " p\n" not in str(fit.summary(ddf=None))
    with pytest.raises(OptionError, match="ddf"):
        fit.summary(ddf="kenward")

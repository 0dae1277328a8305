import numpy as np
import pandas as pd
import pytest
from scipy import stats

import bayeslmm as bl
from bayeslmm.errors import OptionError


@pytest.fixture(scope="module")
def data():
    return bl.load_dataset("sleepstudy")


@pytest.fixture(scope="module")
def slopes(data):
    return bl.LinearMixedModel("Reaction ~ Days + (Days | Subject)", data).fit()


@pytest.fixture(scope="module")
def intercepts(data):
    return bl.LinearMixedModel("Reaction ~ Days + (1 | Subject)", data).fit()


def test_scores_are_their_definitions(slopes, intercepts):
    table = bl.select([intercepts, slopes], criterion="ML")
    best = table.iloc[0]
    assert table.index[0] == slopes.formula and table.attrs["criterion"] == "ML"
    assert best["aic"] == pytest.approx(1763.939, abs=1e-3)  # lme4
    assert best["bic"] == pytest.approx(1783.097, abs=1e-3)
    assert best["aicc"] == pytest.approx(best["aic"] + 2 * 6 * 7 / (180 - 7))
    assert best["k_aic"] == best["k_bic"] == 6
    assert table["weight"].sum() == pytest.approx(1)
    assert "ranova" in " ".join(table.attrs["notes"])


def test_conditional_aic_from_dense_matrices(slopes, intercepts):
    table = bl.select([intercepts, slopes], rank_by="caic")
    design, s = slopes.design, slopes.sigma
    Z = design.Z.toarray()
    Lambda = np.kron(np.eye(18), design.covariance.factors(slopes.theta_values)[0])
    V = Z @ Lambda @ Lambda.T @ Z.T + np.eye(180)
    solved = np.linalg.inv(V)
    P = solved - solved @ design.X @ np.linalg.inv(design.X.T @ solved @ design.X) @ design.X.T @ solved
    hat = np.eye(180) - P
    value = -2 * stats.norm.logpdf(design.y, hat @ design.y, s).sum() + 2 * (np.trace(hat) + 1)
    assert table.loc[slopes.formula, "caic"] == pytest.approx(value, rel=1e-8)
    assert table.loc[slopes.formula, "k_caic"] == pytest.approx(np.trace(hat) + 1, rel=1e-8)


def test_groups_left_out_are_predicted_by_refits(data, slopes, intercepts):
    table = bl.select([intercepts, slopes], folds="Subject", rank_by="cv")
    found = []
    for subject in data["Subject"].unique():
        kept, left = (data[inside] for inside in (data["Subject"] != subject, data["Subject"] == subject))
        fit = bl.LinearMixedModel(slopes.formula, kept).fit()
        X = np.column_stack([np.ones(10), left["Days"]])
        factor = fit.sigma * fit.design.covariance.factors(fit.theta_values)[0]
        V = X @ factor @ factor.T @ X.T + fit.sigma**2 * np.eye(10)
        found.append(-2 * stats.multivariate_normal(X @ fit.beta_values, V).logpdf(left["Reaction"]))
    assert table.loc[slopes.formula, "cv"] == pytest.approx(np.sum(found), rel=1e-6)
    assert table.loc[slopes.formula, "se_cv"] == pytest.approx(np.sqrt(18) * np.std(found, ddof=1), rel=1e-5)


def test_rows_left_out_know_their_group(data, slopes, intercepts):
    table = bl.select([intercepts, slopes], folds=5, rank_by="cv", seed=1)
    rows = np.array_split(np.random.default_rng(1).permutation(180), 5)[2]
    kept = data.drop(index=data.index[rows])
    fit = bl.LinearMixedModel(slopes.formula, kept).fit()
    predicted = fit.predict(data.iloc[rows], interval="prediction")
    assert table.index[0] == slopes.formula
    rmse = np.sqrt(np.mean((predicted["prediction"] - data["Reaction"].iloc[rows]) ** 2))
    assert rmse < 45  # the group's own line, not the population's


def test_fixed_parts_that_differ_are_compared_by_ml(data, slopes):
    other = bl.LinearMixedModel("Reaction ~ 1 + (Days | Subject)", data)
    table = bl.select([slopes, other])
    assert table.attrs["criterion"] == "ML" and "fixed parts differ" in table.attrs["notes"][0]
    with pytest.raises(OptionError, match="REML"):
        bl.select([slopes, other], criterion="REML")


def test_a_fold_that_removes_a_level_is_refused():
    data = pd.DataFrame({"y": np.arange(12.0), "f": list("aaabbbccc" + "aaa"), "g": list("pppqqqrrrsss")})
    data["y"] += np.random.default_rng(0).normal(size=12)
    fits = [bl.LinearMixedModel(f"y ~ {fixed} + (1 | g)", data) for fixed in ("f", "1")]
    with pytest.raises(OptionError, match="without fold g=q"):
        bl.select(fits, folds="g")


def test_other_rows_are_refused(data, slopes):
    other = bl.LinearMixedModel(slopes.formula, data.iloc[10:])
    with pytest.raises(OptionError, match="rows"):
        bl.select([slopes, other])


@pytest.mark.parametrize("asked", [{"rank_by": "r2"}, {"folds": "Days"}, {"folds": 1}, {"criterion": "LS"}])
def test_bad_options(slopes, intercepts, asked):
    with pytest.raises(OptionError):
        bl.select([slopes, intercepts], **asked)
    for folds in (0, 1, 2.5):
        with pytest.raises(OptionError, match="folds is a whole number of at least 2"):
            bl.select([intercepts, slopes], rank_by="cv", folds=folds)


def test_one_model_is_no_choice(slopes):
    with pytest.raises(OptionError, match="give a list of at least two"):
        bl.select(slopes)


def test_the_true_model_is_chosen_more_often_than_not():
    """Selection frequencies under a known truth: y has x's effect and random intercepts."""
    rng, chosen = np.random.default_rng(3), 0
    g = np.repeat(np.arange(12), 5)
    for _ in range(12):
        x = rng.normal(size=60)
        y = 1 + 0.8 * x + rng.normal(size=12)[g] + rng.normal(size=60)
        data = pd.DataFrame({"y": y, "x": x, "g": g.astype(str)})
        models = [bl.LinearMixedModel(f"y ~ {fixed} + (1 | g)", data) for fixed in ("1", "x")]
        chosen += bl.select(models, rank_by="bic").index[0] == "y ~ x + (1 | g)"
    assert chosen >= 11


@pytest.fixture(scope="module")
def small():
    """Two models of twelve groups, the second with the effect that is there."""
    rng = np.random.default_rng(5)
    g = np.repeat(np.arange(12), 3)
    x = rng.normal(size=36)
    y = 1 + 0.8 * x + rng.normal(size=12)[g] + rng.normal(size=36)
    data = pd.DataFrame({"y": y, "x": x, "g": g.astype(str)})
    return [bl.LinearMixedModel(f"y ~ {fixed} + (1 | g)", data) for fixed in ("1", "x")]


@pytest.fixture(scope="module")
def posteriors(small):
    return [each.sample(method="importance", draws=250, seed=1) for each in small]


def test_posteriors_are_ranked_by_what_they_say_of_groups_left_out(posteriors):
    table = bl.select(posteriors, rank_by="loo", folds="g")
    without, within = (each.loo("g") for each in posteriors)
    best, other = table.iloc[0], table.iloc[1]
    assert table.index[0] == "y ~ x + (1 | g)"
    assert best["loo"] == pytest.approx(within.looic) and best["k_loo"] == pytest.approx(within.p)
    assert other["delta"] == pytest.approx(without.looic - within.looic)
    apart = without.frame["elpd"] - within.frame["elpd"]
    assert other["se_delta"] == pytest.approx(2 * np.sqrt(12) * apart.std())
    assert best["se_delta"] == 0 and "weight" not in table
    # refits at the estimates see the same rows, and the variances as known
    assert other["cv"] - best["cv"] == pytest.approx(other["delta"], abs=other["se_delta"])


def test_fits_and_posteriors_stand_in_one_table(small, posteriors):
    table = bl.select([small[0].fit(), posteriors[1]])
    assert table["loo"].notna().tolist() == [True, False]
    assert table.loc["y ~ x + (1 | g)", "loo"] == pytest.approx(posteriors[1].loo().looic)
    alone = bl.select([each.fit() for each in small])
    assert table["delta"].tolist() == pytest.approx(alone["delta"].tolist())


def test_a_fit_has_no_loo(small, posteriors):
    with pytest.raises(OptionError, match="without priors"):
        bl.select([small[0].fit(), posteriors[1]], rank_by="loo")

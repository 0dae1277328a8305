"""Means, shares, combinations and hypotheses from draws against what the draws imply."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy import stats

import bayeslmm as bl
from bayeslmm.errors import OptionError

MODEL = "Reaction ~ Days + (Days | Subject)"


@pytest.fixture(scope="module")
def model():
    priors = {"beta[Intercept]": bl.Normal(250, 50), "beta[Days]": bl.Normal(10, 5)}
    return bl.LinearMixedModel(MODEL, bl.load_dataset("sleepstudy"), priors=priors)


@pytest.fixture(scope="module")
def post(model):
    return model.sample(method="importance", seed=3, progress=False)


@pytest.fixture(scope="module")
def draws(post):
    return post.draws_frame()


def test_draws_frame_has_labels_and_places(post, draws):
    assert list(draws) == list(post.summary().labels)
    assert draws.index.names == ["chain", "draw"] and len(draws) == post.n_draws
    assert_allclose(draws["beta[Days]"], post.data["posterior"]["beta"].sel(coef="Days").values.ravel())
    some = post.draws_frame(["ranef[Subject=308: Days]", "sigma"])
    b = post.data["posterior"]["ranef_Subject"].sel(Subject="308", Subject_effect="Days")
    assert_allclose(some["ranef[Subject=308: Days]"], b.values.ravel())
    with pytest.raises(OptionError, match=r"label 'beta\[Dayz\]' isn't known; did you mean 'beta\[Days\]'"):
        post.draws_frame("beta[Dayz]")


def test_means_and_contrasts_are_of_draws(post, draws):
    means = post.marginal_means("Days", at={"Days": [0, 4]})
    expected = draws["beta[Intercept]"] + 4 * draws["beta[Days]"]
    row = means.table.row("mean[Days=4]")
    assert row["mean"] == pytest.approx(expected.mean())
    assert row["lower"] == pytest.approx(expected.quantile(0.025))
    assert_allclose(means.draws()[..., 1].ravel(), expected)
    contrast = means.contrasts("reference").row("contrast[4 - 0]")
    assert contrast["median"] == pytest.approx(4 * draws["beta[Days]"].median())
    assert contrast["probability"] == np.mean(draws["beta[Days]"] > 0)
    slope = post.slopes("Days").table.row("slope[all]")
    assert slope["sd"] == pytest.approx(draws["beta[Days]"].std(), rel=1e-6)


def test_shares_are_of_draws(post, draws):
    data, design = post.data["posterior"], post.design
    sd, cor = data["sd_Subject"].values.reshape(-1, 2), data["cor_Subject"].values.ravel()
    x = design.X[:, 1]
    between = sd[:, 0] ** 2 + np.mean(x**2) * sd[:, 1] ** 2 + 2 * np.mean(x) * cor * sd.prod(axis=1)
    fixed = draws["beta[Days]"] ** 2 * x.var(ddof=1)
    total = between + fixed + draws["sigma"] ** 2
    assert post.r2().row("r2[marginal]")["mean"] == pytest.approx(np.mean(fixed / total))
    icc = np.mean(between / (between + draws["sigma"] ** 2))
    assert post.icc().row("icc[Subject]")["mean"] == pytest.approx(icc)
    assert post.variance_decomposition().row("variance[total]")["mean"] == pytest.approx(total.mean())


def test_blup_is_of_draws(post):
    found = post.blup({"Days": 1}, {"ranef[Subject=308: Days]": 1}).row("blup[0]")
    expected = post.draws_frame(["beta[Days]", "ranef[Subject=308: Days]"]).sum(axis=1)
    assert found["mean"] == pytest.approx(expected.mean()) and found["sd"] == pytest.approx(expected.std())


def test_probability_and_odds(post, draws):
    found = post.hypothesis("beta[Days] > 10")
    p = np.mean(draws["beta[Days]"] > 10)
    assert found.probability == p and found.odds == pytest.approx(p / (1 - p))
    assert found.bayes_factor == pytest.approx(found.odds, rel=0.02)  # a priori even odds
    assert found.mcse == pytest.approx(np.sqrt(p * (1 - p) / 4000), rel=0.5)
    assert post.hypothesis("10 < Days").probability == p
    assert post.hypothesis("beta[Days] <= 10").probability == pytest.approx(1 - p)
    joint = post.hypothesis("2*sd[Subject: Days] - sigma/2 < 0").probability
    assert joint == np.mean(2 * draws["sd[Subject: Days]"] < draws["sigma"] / 2)


def test_savage_dickey_is_the_ratio_of_densities(post, draws):
    found = post.hypothesis("beta[Days] = 10").bayes_factor
    own = stats.gaussian_kde(draws["beta[Days]"])(10)[0] / stats.norm.pdf(10, 10, 5)
    assert found == pytest.approx(own, rel=0.08)
    moved = post.hypothesis("2*beta[Days] - 20 = 0").bayes_factor
    assert moved == pytest.approx(found)
    of_sd = post.hypothesis("sd[Subject: Days] = 6").bayes_factor
    prior = post.priors.table["sd[Subject: Days]"]
    own = stats.gaussian_kde(draws["sd[Subject: Days]"])(6)[0] / np.exp(prior.logpdf(6.0))
    assert of_sd == pytest.approx(float(own), rel=0.1)


def test_the_bayes_factor_of_a_nested_model_is_the_ratio_of_marginal_likelihoods():
    """One mean, everything else known: BF₀₁ in closed form."""
    y = np.array([0.3, 1.1, -0.4, 0.9, 0.2, 0.8, 0.1, 1.4])
    data = {"y": y, "g": list("aabbccdd")}
    priors = {"beta": bl.Normal(0, 2), "sd": bl.HalfNormal(1e-6)}
    post = bl.LinearMixedModel("y ~ 1 + (1 | g)", data, sigma=1.0, priors=priors).sample(
        method="importance", seed=1, progress=False
    )
    V = np.eye(8) + 4 * np.ones((8, 8))
    null, free = (stats.multivariate_normal(cov=C).pdf(y) for C in (np.eye(8), V))
    assert post.hypothesis("beta[Intercept] = 0").bayes_factor == pytest.approx(null / free, rel=1e-4)


def test_what_has_no_bayes_factor_says_why(post, model):
    flat = model.with_priors({"beta[Days]": bl.Flat()}).sample(method="importance", seed=3, progress=False)
    assert "the prior of beta[Days] is flat" in repr(flat.hypothesis("beta[Days] > 5"))
    effect = post.hypothesis("ranef[Subject=308: Days] > 0")
    assert np.isnan(effect.bayes_factor) and "no prior of its own" in effect.note
    assert "too few draws" in post.hypothesis("sd[Subject: Days] = 0").note


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("beta[Days]", "has 0 comparisons"),
        ("1 < beta[Days] < 2", "has 2 comparisons"),
        ("beta[Dayz] > 1", "did you mean"),
        ("1 > 2", "has no parameter in it"),
        ("beta[Days] > > 2", "comparisons"),
    ],
)
def test_hypotheses_that_cannot_be_read(post, text, message):
    with pytest.raises(OptionError, match=message):
        post.hypothesis(text)

"""Draws for new rows: their mean, spread and togetherness; densities of new responses; proper priors."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from scipy import stats

import bayeslmm as bl
from bayeslmm.errors import DataError, OptionError, PriorError

MODEL = "Reaction ~ Days + (Days | Subject)"
NEW = pd.DataFrame(
    {"Days": [1.0, 2.0, 3.0, 3.0, np.nan], "Subject": ["308", "new", "new", "other", "309"]},
    index=list("abcde"),
)


@pytest.fixture(scope="module")
def model():
    return bl.LinearMixedModel(MODEL, bl.load_dataset("sleepstudy"))


@pytest.fixture(scope="module")
def post(model):
    return model.sample(method="importance", seed=3, progress=False)


def test_the_mean_of_new_rows_is_predicts(post):
    drawn = post.epred(NEW, new_levels="population")
    assert drawn.dims == ("chain", "draw", "row") and list(drawn["row"].values) == list("abcde")
    assert_allclose(drawn.mean(("chain", "draw")), post.predict(NEW, new_levels="population"), rtol=1e-10)
    assert np.isnan(drawn.sel(row="e")).all()
    assert_allclose(post.epred().mean(("chain", "draw")), post.predict(), rtol=1e-10)
    assert_allclose(
        post.epred(random="none").std(("chain", "draw"), ddof=1)[0],
        post.draws_frame()["beta[Intercept]"].std(),
    )


@pytest.mark.parametrize("random", ["all", "none", ["Subject: Days"]])
def test_the_spread_of_draws_is_predicts(post, random):
    """Of the mean with drawn levels, and of a new observation."""
    asked = {"random": random, "new_levels": "draw"}
    mean = post.epred(NEW, **asked).std(("chain", "draw"))[:4]
    assert_allclose(mean, post.predict(NEW, **asked, interval="confidence")["se"][:4], rtol=0.06)
    new = post.posterior_predictive(newdata=NEW, **asked)["posterior_predictive"]["y"]
    assert_allclose(
        new.std(("chain", "draw"))[:4], post.predict(NEW, **asked, interval="prediction")["se"][:4], rtol=0.06
    )


def test_rows_of_one_level_go_together(post):
    new = post.posterior_predictive(newdata=NEW, new_levels="draw")["posterior_predictive"]["y"]
    cor = np.corrcoef(new.values[..., :4].reshape(-1, 4).T)
    data = post.data["posterior"]
    sd, r = data["sd_Subject"].values.reshape(-1, 2), data["cor_Subject"].values.ravel()
    shared = sd[:, 0] ** 2 + 6 * sd[:, 1] ** 2 + 5 * r * sd.prod(axis=1)
    spread = new.var(("chain", "draw")).values
    assert cor[1, 2] == pytest.approx(shared.mean() / np.sqrt(spread[1] * spread[2]), abs=0.06)
    assert abs(cor[1, 3]) < 0.1 and abs(cor[0, 1]) < 0.1


def test_known_covariance_between_levels_is_in_draws_of_effects_left_out():
    rng, lag = np.random.default_rng(1), np.abs(np.subtract.outer(range(6), range(6)))
    K = pd.DataFrame(0.9**lag, index=list("abcdef"), columns=list("abcdef"))
    g = np.repeat(list("abcdef"), 8)
    b = np.repeat(rng.multivariate_normal(np.zeros(6), 9 * K), 8)
    data = pd.DataFrame({"g": g, "y": b + 0.1 * rng.normal(size=48)})
    post = bl.LinearMixedModel("y ~ 0 + (1 | g)", data, covariance={"g": K}).sample(
        method="importance", seed=2, progress=False
    )
    new = post.posterior_predictive(newdata={"g": ["a", "b", "f"]}, random="none")["posterior_predictive"][
        "y"
    ]
    cor = np.corrcoef(stats.rankdata(new.values.reshape(-1, 3), axis=0).T)  # sd varies by draw: by ranks
    assert cor[0, 1] == pytest.approx(0.9, abs=0.05) and cor[0, 2] == pytest.approx(0.9**5, abs=0.1)


def test_groups_that_speak_of_fitted_rows_are_not_beside_new_ones(post):
    assert "observed_data" not in post.posterior_predictive(newdata=NEW[:1]).children
    own = post.posterior_predictive()
    assert "observed_data" in own.children
    again = post.posterior_predictive(seed=post.seed)
    assert own["posterior_predictive"].equals(again["posterior_predictive"])


def test_log_likelihood_of_new_rows(post):
    stored = post.data["log_likelihood"]["y"].values
    assert_allclose(post.log_likelihood().values, stored, atol=1e-10)
    data = bl.load_dataset("sleepstudy")
    assert_allclose(post.log_likelihood(data.iloc[[7, 3]]).values, stored[..., [7, 3]], atol=1e-10)
    unseen = NEW[:3].assign(Reaction=[250.0, 300.0, np.nan])
    found = post.log_likelihood(unseen, new_levels="population")
    draws, tree = post.draws_frame(), post.data["posterior"]
    sd, r = tree["sd_Subject"].values.reshape(-1, 2), tree["cor_Subject"].values.ravel()
    variance = sd[:, 0] ** 2 + 4 * sd[:, 1] ** 2 + 4 * r * sd.prod(axis=1) + draws["sigma"] ** 2
    mean = draws["beta[Intercept]"] + 2 * draws["beta[Days]"]
    assert_allclose(found[..., 1].values.ravel(), stats.norm.logpdf(300, mean, np.sqrt(variance)))
    assert np.isnan(found[..., 2]).all()


def test_a_response_that_is_computed():
    data = bl.load_dataset("sleepstudy")
    post = bl.LinearMixedModel("np.log(Reaction) ~ Days + (1 | Subject)", data).sample(
        method="importance", seed=1, draws=50, progress=False
    )
    assert_allclose(post.log_likelihood(data[:5]).values, post.log_likelihood().values[..., :5], atol=1e-10)


def test_bad_rows(post):
    with pytest.raises(DataError, match="response 'Reaction' is not in the data"):
        post.log_likelihood(NEW[:1])
    for verb in (post.epred, lambda rows: post.posterior_predictive(newdata=rows)):
        with pytest.raises(DataError, match="level 'new'"):
            verb(NEW)
        with pytest.raises(DataError, match="'Days' is not in the data"):
            verb(NEW[["Subject"]])
    with pytest.raises(OptionError, match="new_levels 'drawn' isn't known"):
        post.epred(NEW, new_levels="drawn")


def test_weights_and_offset_of_new_rows():
    rng = np.random.default_rng(3)
    data = pd.DataFrame({"g": np.repeat(np.arange(10), 6), "x": rng.normal(size=60)})
    data["y"] = data["x"] + rng.normal(size=60)
    weights, offset = rng.uniform(1, 4, 60), rng.normal(size=60)
    model = bl.LinearMixedModel("y ~ x + (1 | g)", data, weights=weights, offset=offset)
    post = model.sample(method="importance", seed=1, progress=False)
    with pytest.raises(DataError, match="the model's offset came as values"):
        post.epred(data[:2])
    with pytest.raises(DataError, match="the model's weights came as values"):
        post.log_likelihood(data[:2], offset=0.0)
    found = post.log_likelihood(data, weights=weights, offset=offset)
    assert_allclose(found.values, post.log_likelihood().values, atol=1e-10)
    heavy = post.posterior_predictive(newdata=data[:1], weights=1e12, offset=2.0)["posterior_predictive"]["y"]
    assert_allclose(heavy.values, post.epred(data[:1], offset=2.0).values, atol=1e-4)


def test_weak_priors_make_prior_predictive_draws(model, post):
    with pytest.raises(PriorError, match="flat prior has no draws"):
        model.prior_predictive(10)
    weak = model.with_priors("weak")
    y, days = model.design.y, model.design.X[:, 1]
    slope = weak.priors.table["beta[Days]"]
    assert (slope.mean, slope.sd) == (0.0, pytest.approx(2.5 * y.std() / days.std()))
    assert weak.priors.table["sigma"] == model.priors.table["sigma"]
    mine = model.prior_predictive(50, seed=4, priors="weak")
    assert mine["prior_predictive"]["y"].shape == (1, 50, 180) and "observed_data" in mine.children
    theirs = post.prior_predictive(50, seed=4, priors="weak")
    assert_allclose(theirs["prior_predictive"]["y"], mine["prior_predictive"]["y"])
    own = model.prior_predictive(50, seed=4, priors={"beta": bl.Normal(0, 1)})
    assert abs(float(own["prior"]["beta"].mean())) < 1
    with pytest.raises(OptionError, match="priors 'week' isn't known; did you mean 'weak'"):
        model.prior_predictive(10, priors="week")


def test_weak_keeps_what_is_proper(model):
    priors = model.with_priors({"beta[Days]": bl.Normal(1, 2), "sd": bl.Flat()}).with_priors("weak").priors
    assert priors.table["beta[Days]"] == bl.Normal(1, 2)
    assert priors.table["sd[Subject: Days]"] == model.priors.table["sd[Subject: Days]"]

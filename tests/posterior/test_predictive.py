"""Predictions and predictive draws against what the draws of the parameters imply."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import expon, kstest, laplace, norm, t

import bayeslmm as bl
from bayeslmm.errors import DataError, InputError, OptionError, PriorError
from bayeslmm.posterior.names import row_labels

MODEL = "Reaction ~ Days + (Days | Subject)"
PROPER = {"beta[Intercept]": bl.Normal(250, 50), "beta[Days]": bl.Normal(10, 5)}


@pytest.fixture(scope="module")
def model():
    return bl.LinearMixedModel(MODEL, bl.load_dataset("sleepstudy"))


@pytest.fixture(scope="module")
def post(model):
    return model.sample(method="importance", seed=3, progress=False)


def test_prediction_of_the_fitted_rows_is_the_mean_of_the_linear_predictor(post):
    data = post.data["posterior"]
    design = post.design
    b = data["ranef_Subject"].values.reshape(4000, -1)
    beta = data["beta"].values.reshape(4000, -1)
    mean = beta @ design.X.T + (design.Z @ b.T).T
    np.testing.assert_allclose(post.predict(), mean.mean(axis=0), rtol=1e-12)
    without = post.predict(random="none", interval="confidence")
    fixed = beta @ design.X.T
    np.testing.assert_allclose(without["lower"], np.quantile(fixed, 0.025, axis=0), rtol=1e-12)
    assert list(without.columns) == ["prediction", "se", "lower", "upper"]


def test_prediction_is_near_that_of_the_fit(model, post):
    new = pd.DataFrame({"Days": [0, 5, 12], "Subject": ["308", "335", "308"]})
    np.testing.assert_allclose(post.predict(new), model.fit().predict(new), atol=6)


def test_new_levels_have_the_random_effects_spread(post):
    new = pd.DataFrame({"Days": [0.0, 9.0, 9.0], "Subject": ["308", "new", "new"]})
    with pytest.raises(DataError, match=r"level 'new' .*population"):
        post.predict(new)
    mean = post.predict(new, random="none", interval="confidence")
    average = post.predict(new, new_levels="population", interval="confidence")
    data = post.data["posterior"]
    sd, cor = data["sd_Subject"].values.reshape(-1, 2), data["cor_Subject"].values.ravel()
    variance = sd[:, 0] ** 2 + 81 * sd[:, 1] ** 2 + 18 * cor * sd[:, 0] * sd[:, 1]
    assert average["se"][1] == pytest.approx(np.sqrt(mean["se"][1] ** 2 + variance.mean()), rel=1e-10)
    assert average["prediction"][1] == mean["prediction"][1]
    assert average.loc[1].equals(average.loc[2])
    observed = post.predict(new, new_levels="population", interval="prediction")
    sigma = np.sqrt(np.mean(data["sigma"].values ** 2))
    np.testing.assert_allclose(observed["se"], np.hypot(average["se"], sigma), rtol=1e-10)
    limits = average["prediction"][1] + np.array([-1, 1]) * 1.96 * average["se"][1]
    np.testing.assert_allclose(average.loc[1, ["lower", "upper"]], limits, atol=0.12 * average["se"][1])
    pd.testing.assert_frame_equal(average, post.predict(new, new_levels="draw", interval="confidence"))


def test_effects_left_out_are_in_the_interval_of_an_observation(post):
    """The unseen level's, and those that nobody asked for, have the same variance in a new observation."""
    new = {"Days": 1.0, "Subject": "new"}
    unseen = post.predict(new, new_levels="population", interval="prediction")
    left_out = post.predict({"Days": 1.0}, random="none", interval="prediction")
    pd.testing.assert_frame_equal(left_out, unseen)
    single = post.predict(new, ["Subject: Days"], "population", "prediction")
    pd.testing.assert_frame_equal(single, unseen)


def test_a_drawn_level_has_one_effect(post):
    new = pd.DataFrame({"Days": [0.0, 0.0, 0.0], "Subject": ["a", "b", "a"]})
    drawn = [post.predict(new, new_levels="draw", seed=seed) for seed in range(400)]
    assert all(values[0] == values[2] != values[1] for values in drawn)
    sd = np.sqrt(np.mean(post.data["posterior"]["sd_Subject"].values[..., 0] ** 2))
    assert np.std([values[0] for values in drawn]) == pytest.approx(sd, rel=4 / np.sqrt(800))


def test_without_fixed_effects():
    data = bl.load_dataset("sleepstudy")
    model = bl.LinearMixedModel("Reaction ~ 0 + (1 | Subject)", data)
    post = model.sample(draws=200, method="importance", seed=1, progress=False)
    ranef = post.data["posterior"]["ranef_Subject"].sel(Subject="308").mean()
    assert post.predict().iloc[0] == pytest.approx(float(ranef), rel=1e-12)
    assert post.posterior_predictive()["posterior_predictive"]["y"].shape == (4, 200, 180)
    proper = post.prior_predictive(draws=7)
    assert proper["prior_predictive"]["y"].shape == (1, 7, 180)


def test_single_effects_can_be_chosen(post):
    rows = bl.load_dataset("sleepstudy").iloc[:3]
    both = post.predict(rows, random=["Subject: Intercept", "Subject: Days"])
    pd.testing.assert_series_equal(both, post.predict(rows))


def test_options_are_checked(post):
    with pytest.raises(OptionError, match="'population'"):
        post.predict(new_levels="populaton")
    with pytest.raises(OptionError, match="Subject"):
        post.predict(random=["Subjct"])
    with pytest.raises(OptionError, match="seed is a whole number"):
        post.posterior_predictive(seed="a")


def test_posterior_predictive_adds_a_group(post):
    tree = post.posterior_predictive(seed=2)
    y = tree["posterior_predictive"]["y"]
    assert y.dims == ("chain", "draw", "row")
    residual = y.values - y.values.mean(axis=(0, 1))
    spread = post.predict(interval="prediction")["se"]
    np.testing.assert_allclose(residual.std(axis=(0, 1)), spread, rtol=0.08)
    assert "posterior_predictive" not in post.data.children
    np.testing.assert_array_equal(y, post.posterior_predictive(seed=2)["posterior_predictive"]["y"])


def test_rows_are_labelled_by_the_users_index():
    days = pd.date_range("2020-01-01", periods=3)
    zoned = days.tz_localize("Europe/Berlin")
    pairs = pd.MultiIndex.from_product([["a", "b"], [1]])
    assert row_labels(pd.Index([5, 2, 2])) == [5, 2, 2]
    assert row_labels(pd.Index(["x", "y"])) == ["x", "y"]
    assert row_labels(days) == list(days)
    assert row_labels(zoned)[0] == "2020-01-01 00:00:00+01:00"
    assert row_labels(pairs) == ["('a', 1)", "('b', 1)"]
    assert row_labels(pd.Index([1, "a"])) == ["1", "a"]


def test_flat_priors_have_no_prior_predictive(post):
    with pytest.raises(PriorError, match=r"beta\[Intercept\], beta\[Days\]: a flat prior has no draws"):
        post.prior_predictive()


def test_prior_predictive_has_the_priors_moments(model):
    post = model.with_priors(PROPER).sample(draws=50, method="importance", seed=1, progress=False)
    tree = post.prior_predictive(draws=20_000, seed=4)
    prior, y = tree["prior"], tree["prior_predictive"]["y"].values[0]
    assert float(prior["beta"].sel(coef="Days").mean()) == pytest.approx(10, abs=0.2)
    scale = post.priors.sd["Subject"][0].scale
    assert float((prior["sd_Subject"][..., 0] ** 2).mean()) == pytest.approx(scale**2, rel=0.05)
    assert kstest(prior["cor_Subject"].values.ravel(), lambda x: 0.5 + 0.75 * x - 0.25 * x**3).pvalue > 1e-3
    b = prior["ranef_Subject"].values[0]
    assert np.mean(b[:, :, 0] ** 2) == pytest.approx(scale**2, rel=0.05)
    expected = 50**2 + scale**2 + np.mean(prior["sigma"].values ** 2)
    assert np.var(y[:, post.design.X[:, 1] == 0]) == pytest.approx(expected, rel=0.05)


@pytest.mark.parametrize(
    ("prior", "cdf"),
    [
        (bl.Normal(1, 2), norm(1, 2).cdf),
        (bl.StudentT(4, 1, 2), t(4, 1, 2).cdf),
        (bl.Laplace(1, 2), laplace(1, 2).cdf),
        (bl.HalfNormal(2), lambda x: 2 * norm(0, 2).cdf(x) - 1),
        (bl.HalfStudentT(4, 2), lambda x: 2 * t(4, 0, 2).cdf(x) - 1),
        (bl.Exponential(3), expon(0, 3).cdf),
        (bl.PenalizedComplexity(3, 0.05), lambda x: 1 - 0.05 ** (x / 3)),
    ],
)
def test_draws_of_a_prior_have_its_distribution(prior, cdf):
    assert kstest(prior.draw(np.random.default_rng(1), 5000), cdf).pvalue > 1e-3


def test_gamma_draws_have_its_moments():
    values = bl.Gamma(3, 2).draw(np.random.default_rng(1), 50_000)
    assert (values.mean(), values.var()) == pytest.approx((1.5, 0.75), rel=0.03)


@pytest.mark.filterwarnings("ignore:Estimated shape parameter:UserWarning")
def test_log_likelihood_by_group_works_in_loo(post):
    import arviz as az

    tree = post.by_group()
    assert tree["log_likelihood"]["y"].sizes == {"chain": 4, "draw": 1000, "Subject": 18}
    loo = az.loo(tree)
    assert loo.n_data_points == 18
    assert np.mean(loo.pareto_k < 0.7) > 0.8
    assert loo.elpd < az.loo(post.data).elpd


def test_no_group_no_log_likelihood_by_group():
    plain = bl.LinearMixedModel("Reaction ~ Days", bl.load_dataset("sleepstudy"))
    post = plain.sample(draws=50, seed=1, progress=False)
    with pytest.raises(InputError, match="no log likelihood by group"):
        post.by_group()

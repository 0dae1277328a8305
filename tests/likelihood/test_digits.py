"""Residuals that are tiny against the effects: closed forms hold, and where digits end it is said."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

import bayeslmm as bl
from bayeslmm.errors import ConvergenceWarning
from bayeslmm.kernel.search.optimizer import Status
from bayeslmm.likelihood.criterion import Criterion
from bayeslmm.likelihood.digits import CriterionOfRows

KINSHIP = pd.DataFrame(0.5 * np.eye(8) + 0.5)


def balanced(sigma: float) -> pd.DataFrame:
    """Ten groups of five rows, sd between groups 1."""
    rng = np.random.default_rng(1)
    g, x = np.repeat(np.arange(10), 5), np.tile(np.arange(5.0), 10)
    b, e = rng.normal(size=10)[g], rng.normal(size=50)
    return pd.DataFrame({"y": 2 + 3 * x + b + sigma * e, "x": x, "g": g})


def unbalanced(sigma: float, n: int = 80) -> pd.DataFrame:
    """Rows in which g and h meet at random, each with an intercept, g with a slope of x."""
    rng = np.random.default_rng(3)
    g, h = (rng.permutation(np.resize(np.arange(k), n)) for k in (8, 5))
    x, e, w = rng.normal(size=n), rng.normal(size=n), rng.uniform(0.5, 2, n)
    b = rng.normal(size=8)[g] + rng.normal(size=8)[g] * x
    crossed = rng.normal(size=8)[g] + rng.normal(size=5)[h]
    return pd.DataFrame(
        {"slopes": x + b + sigma * e, "crossed": x + crossed + sigma * e, "x": x, "g": g, "h": h, "w": w}
    )


@pytest.mark.parametrize("sigma", [1e-2, 1e-4, 1e-6, 1e-8, 1e-9])
def test_a_balanced_one_way_design_has_its_closed_form(sigma):
    data = balanced(sigma)
    fit = bl.LinearMixedModel("y ~ x + (1 | g)", data).fit()
    within = data.y - data.groupby("g").y.transform("mean")
    away = data.x - data.x.mean()
    residual = within - (away @ within) / (away @ away) * away
    assert_allclose(fit.sigma, np.sqrt(residual @ residual / 39), rtol=1e-7)
    means = data.groupby("g").y.mean()
    assert_allclose(fit.se["Intercept"] ** 2, _variance_of_intercept(means, fit.sigma), rtol=1e-7)
    for ddf in ("satterthwaite", "kenward-roger"):
        assert_allclose(fit.coef_table(ddf).df["x"], 39, rtol=1e-7)
        assert_allclose(fit.coef_table(ddf).df["Intercept"], 9, rtol=2e-3 if sigma > 1e-3 else 1e-6)


def _variance_of_intercept(means: pd.Series, sigma: float) -> float:
    """Var of ȳ − 2β̂, x having mean 2 and within sum of squares 100."""
    return float(means.var() / 10 + 4 * sigma**2 / 100)


@pytest.mark.parametrize(
    ("formula", "options"),
    [
        ("slopes ~ x + (x | g)", {}),
        ("slopes ~ x + (x || g)", {"weights": "w"}),
        ("slopes ~ 0 + (1 | g) + (0 + x | h)", {}),
        ("crossed ~ x + (1 | h / g)", {}),
        ("slopes ~ x + cs(1 + x | g)", {"sigma": 1.0}),
        ("slopes ~ x + (1 | g)", {"covariance": {"g": KINSHIP}}),
    ],
)
@pytest.mark.parametrize("reml", [True, False])
def test_rows_and_cross_products_make_one_criterion(formula, options, reml):
    design = bl.LinearMixedModel(formula, unbalanced(0.3), **options).design
    products = Criterion.of(design, reml)
    rows = CriterionOfRows.of_rows(products, design)
    theta = design.covariance.start() * np.linspace(0.5, 2, design.n_theta)
    for x in (theta, np.where(np.arange(design.n_theta) == design.n_theta - 1, 0.0, theta)):
        (value, gradient), (own_value, own_gradient) = products(x), rows(x)
        assert_allclose(own_value, value, rtol=1e-11)
        assert_allclose(own_gradient, gradient, rtol=1e-8, atol=1e-8)


@pytest.mark.parametrize(
    ("formula", "sigma"),
    [("slopes ~ x + (x | g)", 1e-7), ("slopes ~ x + (x || g)", 1e-6), ("slopes ~ x + cs(1 + x | g)", 1e-6)],
)
def test_degrees_of_freedom_reach_their_limit(formula, sigma):
    fit = bl.LinearMixedModel(formula, unbalanced(sigma)).fit()
    for ddf in ("satterthwaite", "kenward-roger"):
        assert_allclose(fit.coef_table(ddf).df, 7, rtol=1e-4)
    less = bl.LinearMixedModel(formula, unbalanced(1e-4)).fit()
    assert_allclose(fit.sigma / sigma, less.sigma / 1e-4, rtol=1e-5)
    assert_allclose(fit.se, less.se, rtol=1e-4)


TWO_FACTORS = ("crossed ~ x + (1 | g) + (1 | h)", "crossed ~ x + (1 | g / h)")


@pytest.mark.parametrize("sigma", [5e-5, 1e-7])
@pytest.mark.parametrize("formula", TWO_FACTORS)
def test_two_grouping_factors_say_where_their_digits_end(formula, sigma):
    with pytest.warns(ConvergenceWarning, match="too few digits"):
        fit = bl.LinearMixedModel(formula, unbalanced(sigma)).fit()
    assert fit.convergence.status is Status.DIGITS


@pytest.mark.parametrize("formula", TWO_FACTORS)
def test_two_grouping_factors_reach_their_limit_before(formula):
    model = bl.LinearMixedModel(formula, unbalanced(2e-4))
    rank = np.linalg.matrix_rank(np.hstack([model.design.X, model.design.Z.toarray()]))
    for ddf in ("satterthwaite", "kenward-roger"):
        assert_allclose(model.fit().coef_table(ddf).df["x"], model.design.n - rank, rtol=1e-5)


def test_a_minimum_with_few_digits_is_no_saddle():
    """Steps no longer than rounding said of curvature what they liked, of every tenth such fit."""
    for seed in range(25):
        rng = np.random.default_rng(seed)
        g, h, x = rng.integers(0, 8, 80), rng.integers(0, 6, 80), rng.normal(size=80)
        y = 5000 * (rng.normal(size=8)[g] + rng.normal(size=6)[h]) + rng.normal(size=80)
        data = pd.DataFrame({"y": y, "x": x, "g": g, "h": h})
        fit = bl.LinearMixedModel("y ~ x + (1 | g) + (1 | h)", data).fit()
        assert fit.convergence.converged, seed


@pytest.mark.parametrize("formula", ["y ~ x + (1 | g)", "y ~ 1 + (x | g)"])
def test_a_response_without_residuals_has_sigma_0(formula):
    with pytest.warns(ConvergenceWarning, match="sigma is 0"):
        fit = bl.LinearMixedModel(formula, balanced(0.0)).fit()
    assert not fit.convergence.converged


@pytest.mark.filterwarnings("ignore:singular fit")
def test_refits_of_a_fit_with_a_tiny_residual_are_of_their_own_responses() -> None:
    random = np.random.default_rng(3)
    group, x = np.repeat(np.arange(20), 6), random.normal(size=120)
    responses = [1e5 * random.normal(size=20)[group] + random.normal(size=120) + x for _ in range(5)]
    data = pd.DataFrame({"y": responses[0], "x": x, "g": group})
    fit = bl.LinearMixedModel("y ~ x + (x || g)", data).fit()
    many = fit.refit_many(np.array(responses))
    alone = [fit.refit(each) for each in responses]
    assert many.singular.any()
    assert_allclose(many.criterion, [each.criterion_value for each in alone], atol=5e-3)
    assert_allclose(many.theta[:, 0], [each.theta.iloc[0] for each in alone], rtol=0.01)

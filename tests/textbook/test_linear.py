"""The model with V known: likelihoods against SciPy, the engine, and each other."""

import numpy as np
import pytest
from scipy.stats import multivariate_normal

import bayeslmm as bl
from bayeslmm.errors import DataError, OptionError
from tests.textbook.layouts import fitted, random_model

MODELS = [random_model(seed=seed) for seed in range(4)] + [random_model(n=7, p=5, seed=9)]


@pytest.mark.parametrize("model", MODELS)
def test_the_likelihood_is_scipys_density(model):
    beta = np.arange(model.X.shape[1], dtype=float)
    found = bl.textbook.log_likelihood(model.y, model.X, model.V, beta)
    assert found == pytest.approx(multivariate_normal(model.X @ beta, model.V).logpdf(model.y), rel=1e-12)
    best = bl.textbook.generalized_least_squares(model.y, model.X, model.V).beta
    at_best = bl.textbook.log_likelihood(model.y, model.X, model.V)
    assert at_best == bl.textbook.log_likelihood(model.y, model.X, model.V, best)
    for step in np.eye(len(best)) * 0.01:
        assert bl.textbook.log_likelihood(model.y, model.X, model.V, best + step) < at_best


@pytest.mark.parametrize("model", MODELS)
def test_reml_is_the_likelihood_of_error_contrasts(model):
    assert bl.textbook.reml_is_of_contrasts(model.y, model.X, model.V).gap < 1e-12
    A = bl.textbook.error_contrasts(model.X)
    P = np.eye(len(model.y)) - model.X @ np.linalg.pinv(model.X)
    np.testing.assert_allclose(A @ A.T, P, atol=1e-13)
    np.testing.assert_allclose(A.T @ A, np.eye(A.shape[1]), atol=1e-13)


def test_contrasts_know_nothing_of_beta():
    model = MODELS[0]
    moved = model.y + model.X @ [100.0, -50.0]
    before, after = (bl.textbook.contrast_log_likelihood(y, model.X, model.V) for y in (model.y, moved))
    assert after == pytest.approx(before, rel=1e-11)


@pytest.mark.parametrize("criterion", ["ML", "REML"])
def test_the_engines_criterion_is_minus_twice_the_likelihood(criterion):
    data = bl.load_dataset("sleepstudy")
    fit = fitted("Reaction ~ Days + (Days | Subject)", data, criterion)
    V = bl.LinearMixedModel("Reaction ~ Days + (Days | Subject)", data).V(fit.theta_values, fit.sigma)
    of = {"ML": bl.textbook.log_likelihood, "REML": bl.textbook.restricted_log_likelihood}[criterion]
    assert -2 * of(fit.design.y, fit.design.X, V) == pytest.approx(fit.criterion_value, rel=1e-11)
    found = bl.textbook.generalized_least_squares(fit.design.y, fit.design.X, V)
    np.testing.assert_allclose(fit.beta_values, found.beta, rtol=1e-9)
    np.testing.assert_allclose(fit.vcov_values, found.vcov, rtol=1e-8)


def test_ml_is_too_small_by_its_share():
    assert bl.textbook.ml_bias(10) == 0.9
    X = np.column_stack([np.ones(8), np.arange(8)])
    shown = bl.textbook.ml_bias_is_a_trace(X)
    assert shown.right == 0.75
    assert shown.gap < 1e-14
    y = np.random.default_rng(0).normal(size=(20_000, 5))
    assert np.mean(y.var(axis=1)) == pytest.approx(bl.textbook.ml_bias(5), abs=0.02)


def test_what_has_no_answer_is_refused():
    y, X = np.arange(3.0), np.ones(3)
    cases = [
        ((y, [[1, 2], [1, 2], [1, 2]], np.eye(3)), "depend on each other"),
        ((y, X, np.eye(2)), r"V has shape \(2, 2\); here it is \(3, 3\)"),
        ((y, X, np.ones((3, 3))), "isn't positive definite"),
        ((y, X, np.triu(np.ones((3, 3)))), "isn't symmetric"),
        ((y, np.ones(2), np.eye(3)), "X has 2 rows, where 3 are needed"),
    ]
    for given, message in cases:
        with pytest.raises(DataError, match=message):
            bl.textbook.generalized_least_squares(*given)
    with pytest.raises(OptionError, match="n is a whole number of at least 3"):
        bl.textbook.ml_bias(2, 2)
    with pytest.raises(DataError, match="beta has 2 numbers"):
        bl.textbook.log_likelihood(y, X, np.eye(3), [1.0, 2.0])

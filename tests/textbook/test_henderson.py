"""Henderson's equations, the joint density, and GLS with BLUP: one answer by three ways, and the engine's."""

import numpy as np
import pytest
from scipy.stats import multivariate_normal

import bayeslmm as bl
from bayeslmm.errors import DataError
from tests.textbook.layouts import fitted, random_model

MODELS = [random_model(seed=seed) for seed in range(4)] + [random_model(n=6, p=1, q=9, seed=5)]


@pytest.mark.parametrize("model", MODELS)
def test_three_ways_meet(model):
    assert bl.textbook.henderson_is_blup(model).gap < 1e-10
    assert bl.textbook.blup_is_the_joint_mode(model).gap < 1e-9


@pytest.mark.parametrize("model", MODELS)
def test_the_joint_density_is_a_product_of_scipys(model):
    rng = np.random.default_rng(1)
    beta, b = rng.normal(size=model.X.shape[1]), rng.normal(size=model.Z.shape[1])
    expected = multivariate_normal(model.X @ beta + model.Z @ b, model.R).logpdf(model.y)
    expected += multivariate_normal(np.zeros(len(b)), model.G).logpdf(b)
    assert bl.textbook.joint_log_density(model, beta, b) == pytest.approx(expected, rel=1e-12)


def test_the_score_is_the_densitys_gradient():
    model = MODELS[0]
    at, p = np.arange(5.0), model.X.shape[1]
    steps = 0.1 * np.eye(5)  # central differences of a quadratic are exact
    density = [
        [bl.textbook.joint_log_density(model, *np.split(at + sign * step, [p])) for step in steps]
        for sign in (1, -1)
    ]
    expected = (np.array(density[0]) - density[1]) / 0.2
    np.testing.assert_allclose(bl.textbook.joint_score(model, at[:p], at[p:]), expected, rtol=1e-9)


def test_the_inverse_is_the_covariance_of_errors():
    """Var(β̂) and Var(b̂ − b) by V alone."""
    model = MODELS[1]
    effects, p = bl.textbook.henderson(model), model.X.shape[1]
    inverse = np.linalg.inv(model.V)
    vcov = np.linalg.inv(model.X.T @ inverse @ model.X)
    P = inverse - inverse @ model.X @ vcov @ model.X.T @ inverse
    ZG = model.Z @ model.G
    np.testing.assert_allclose(effects.vcov[:p, :p], vcov, rtol=1e-9)
    np.testing.assert_allclose(effects.vcov[p:, p:], model.G - ZG.T @ P @ ZG, rtol=1e-9)


def test_the_engine_solves_the_same_equations():
    fit = fitted("Reaction ~ Days + (Days | Subject)", bl.load_dataset("sleepstudy"))
    design, (factor,) = fit.design, fit.design.covariance.factors(fit.theta_values)
    G = fit.sigma**2 * np.kron(np.eye(design.blocks[0].n_levels), factor @ factor.T)
    R = fit.sigma**2 * np.eye(design.n)
    found = bl.textbook.henderson(bl.textbook.mixed_model(design.y, design.X, design.Z.toarray(), G, R))
    np.testing.assert_allclose(fit.beta_values, found.beta, rtol=1e-9)
    np.testing.assert_allclose(fit.b, found.b, atol=1e-8)
    np.testing.assert_allclose(fit.sd_prediction**2, np.diag(found.vcov)[2:], rtol=1e-7)


def test_what_is_no_model_is_refused():
    y, X, Z = np.arange(3.0), np.ones(3), np.eye(3)
    with pytest.raises(DataError, match="G isn't positive definite; leave out effects whose variance is 0"):
        bl.textbook.mixed_model(y, X, Z, np.diag([1.0, 1.0, 0.0]), np.eye(3))
    with pytest.raises(DataError, match="Z has 2 rows, where 3 are needed"):
        bl.textbook.mixed_model(y, X, np.eye(2), np.eye(2), np.eye(3))
    model = bl.textbook.mixed_model(y, X, Z, np.eye(3), np.eye(3))
    with pytest.raises(DataError, match="b has 2 numbers"):
        bl.textbook.joint_log_density(model, [1.0], [1.0, 2.0])

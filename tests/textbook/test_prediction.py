"""Best prediction: E(v | y), BLUP's weights, and nobody's mean squared error below theirs."""

import numpy as np
import pytest

import bayeslmm as bl
from bayeslmm.errors import DataError
from tests.textbook.layouts import random_model

SEEDS = range(5)


@pytest.mark.parametrize("seed", SEEDS)
def test_weights_give_gls_and_blup(seed):
    model = random_model(seed=seed)
    rng = np.random.default_rng(seed)
    c, d = rng.normal(size=2), rng.normal(size=3)
    beta, b = bl.textbook.blup(model)
    weights = bl.textbook.blup_weights(model, c, d)
    assert weights @ model.y == pytest.approx(c @ beta + d @ b, rel=1e-9)
    vcov, combined = bl.textbook.henderson(model).vcov, np.concatenate([c, d])
    error = bl.textbook.mean_squared_error(model, weights, c, d)
    assert error == pytest.approx(combined @ vcov @ combined, rel=1e-9)


@pytest.mark.parametrize("seed", SEEDS)
def test_nobody_is_better(seed):
    model = random_model(seed=seed)
    rng = np.random.default_rng(seed)
    c, d = rng.normal(size=2), rng.normal(size=3)
    contrasts = bl.textbook.error_contrasts(model.X)
    for _ in range(5):
        other = bl.textbook.blup_weights(model, c, d) + contrasts @ rng.normal(size=contrasts.shape[1])
        shown = bl.textbook.least_mean_squared_error(model, other, c, d)
        assert shown.gap < 1e-9
        assert shown.left > 0


def test_an_overparametrized_X_changes_no_prediction():
    full = random_model(seed=1)
    X = np.column_stack([full.X, full.X[:, 0] - 1e6 * full.X[:, 1]])
    over = bl.textbook.mixed_model(full.y, X, full.Z, full.G, full.R)
    c, d = [1.0, 2.0], [1.0, 0.0, -1.0]
    expected = bl.textbook.blup_weights(full, c, d)
    found = bl.textbook.blup_weights(over, [*c, c[0] - 1e6 * c[1]], d)
    np.testing.assert_allclose(found, expected, rtol=1e-6)
    with pytest.raises(DataError, match="isn't estimable"):
        bl.textbook.blup_weights(over, [*c, 0.0], d)


def test_blup_is_the_conditional_mean_with_beta_estimated():
    model = random_model(seed=2)
    beta, b = bl.textbook.blup(model)
    C = model.G @ model.Z.T
    found = bl.textbook.conditional_mean(model.y, model.X @ beta, np.zeros(3), model.V, C)
    np.testing.assert_allclose(found, b, rtol=1e-10)


def test_the_conditional_law_is_the_simulated_one():
    """E(v | y) leaves a residual that has no covariance with y, and the variance stated."""
    model = random_model(seed=3, n=4)
    rng = np.random.default_rng(0)
    v = rng.multivariate_normal(np.zeros(3), model.G, size=100_000)
    y = v @ model.Z.T + rng.multivariate_normal(np.zeros(4), model.R, size=100_000)
    C = model.G @ model.Z.T
    zero = np.zeros(4)
    slopes = [bl.textbook.conditional_mean(unit, zero, np.zeros(3), model.V, C) for unit in np.eye(4)]
    left = v - y @ np.array(slopes)
    scale = np.sqrt(np.outer(np.diag(model.G), np.diag(model.V)))
    assert np.max(np.abs(left.T @ y / 100_000) / scale) < 0.02
    expected = bl.textbook.conditional_covariance(model.G, model.V, C)
    assert np.max(np.abs(np.cov(left.T) - expected)) < 0.02 * np.max(np.diag(model.G))


def test_what_cannot_be_predicted_is_refused():
    model = random_model()
    with pytest.raises(DataError, match="c has 1 numbers; here it has 2"):
        bl.textbook.blup_weights(model, [1.0], [1.0, 0.0, 0.0])
    with pytest.raises(DataError, match="these weights are biased"):
        bl.textbook.mean_squared_error(model, np.ones(12), [1.0, 0.0], [0.0, 0.0, 0.0])
    with pytest.raises(DataError, match="weights has 3 numbers; here it has 12"):
        bl.textbook.mean_squared_error(model, np.ones(3), [1.0, 0.0], [0.0, 0.0, 0.0])
    with pytest.raises(DataError, match=r"C has shape \(1, 2\)"):
        bl.textbook.conditional_mean([1.0], [1.0], [0.0], [[1.0]], [[1.0, 2.0]])

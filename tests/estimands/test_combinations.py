"""Combinations against the joint Gaussian of (β, b) written out densely."""

import numpy as np
import pytest

from bayeslmm.estimands.combinations import Combinations, covariance, values


@pytest.fixture
def model():
    """A small dense model: X, Z, T = Var(b), σ²."""
    rng = np.random.default_rng(1)
    X, Z = rng.normal(size=(30, 2)), rng.normal(size=(30, 4))
    root = rng.normal(size=(4, 4))
    return X, Z, root @ root.T, 1.7


@pytest.fixture
def combinations():
    rng = np.random.default_rng(2)
    return Combinations(("a", "b", "c"), rng.normal(size=(3, 2)), rng.normal(size=(3, 4)))


def test_prediction_error_is_the_flat_prior_posterior(model, combinations):
    X, Z, T, sigma2 = model
    S = np.linalg.inv(Z.T @ Z / sigma2 + np.linalg.inv(T))
    B = -S @ Z.T @ X / sigma2
    V = Z @ T @ Z.T + sigma2 * np.eye(30)
    vcov = np.linalg.inv(X.T @ np.linalg.inv(V) @ X)
    both = np.hstack([X, Z])
    precision = both.T @ both / sigma2
    precision[2:, 2:] += np.linalg.inv(T)
    CD = np.hstack([combinations.C, combinations.D])
    expected = CD @ np.linalg.inv(precision) @ CD.T
    assert covariance(combinations, vcov, B, lambda D: S @ D) == pytest.approx(expected)


def test_values_take_draws(combinations):
    rng = np.random.default_rng(3)
    beta, b = rng.normal(size=(5, 7, 2)), rng.normal(size=(5, 7, 4))
    all_at_once = values(combinations, beta, b)
    assert all_at_once.shape == (5, 7, 3)
    assert all_at_once[2, 3] == pytest.approx(combinations.C @ beta[2, 3] + combinations.D @ b[2, 3])


def test_shapes_must_fit(combinations):
    with pytest.raises(ValueError, match="labels"):
        Combinations(("a",), combinations.C, combinations.D)

"""Independent rows with weights."""

import numpy as np

from bayeslmm.spec.residual import PriorWeights


def test_known_sigma() -> None:
    assert PriorWeights(3).sigma_free
    assert not PriorWeights(3, 2.0).sigma_free
    assert PriorWeights(3, 2.0).take(np.array([0, 0])).sigma == 2.0


def test_equal_weights_cost_nothing() -> None:
    rows = np.arange(6.0).reshape(3, 2)
    for made in (PriorWeights(3), PriorWeights.of(np.ones(3))):
        assert made.is_identity
        assert made.whiten(rows) is rows
        assert made.unwhiten(rows) is rows
        assert not made.data


def test_prior_weights_are_precisions() -> None:
    weights = np.array([0.25, 1.0, 4.0])
    made = PriorWeights.of(weights)
    np.testing.assert_allclose(made.variances(), 1 / weights)
    np.testing.assert_allclose(made.whiten(np.ones(3)), [0.5, 1.0, 2.0])
    np.testing.assert_allclose(made.take(np.array([2, 0])).shown["weights"], [4.0, 0.25])
    new = made.of_rows(2, {})
    np.testing.assert_array_equal(new.shown["weights"], [1.0, 1.0])
    assert made.covariance(new).shape == (2, 3)
    assert made.covariance(new).nnz == 0

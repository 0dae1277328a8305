"""The chain against its definition, and its long-run shares against the weights."""

import numpy as np
from numpy.testing import assert_allclose, assert_array_equal

from bayeslmm.kernel.independence import independence_chain


def test_moves_where_the_ratio_of_weights_exceeds_the_uniform():
    log_weight = np.log([1.0, 0.5, 4.0, 1.0, 1.0])
    log_u = np.log([0.9, 0.6, 0.99, 0.3, 0.2])
    assert_array_equal(independence_chain(log_weight, log_u), [0, 0, 2, 2, 4])


def test_leaves_a_start_without_weight():
    assert_array_equal(independence_chain(np.array([-np.inf, -5.0, -np.inf]), np.full(3, -0.1)), [0, 1, 1])


def test_shares_are_the_weights():
    rng = np.random.default_rng(1)
    weight = np.array([1.0, 2.0, 5.0])
    proposed = rng.integers(3, size=200_000)
    chain = independence_chain(np.log(weight[proposed]), np.log(rng.uniform(size=len(proposed))))
    shares = np.bincount(proposed[chain]) / len(chain)
    assert_allclose(shares, weight / weight.sum(), atol=0.01)

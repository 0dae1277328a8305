"""Generalized least squares from A, few digits and none included."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from bayeslmm.kernel.values.solved import Solved


def moments(p, seed, far=0.0):
    """A (p + 1, p + 1) of random columns about a common one, `far` times as large as they are."""
    rng = np.random.default_rng(seed)
    columns = rng.normal(size=(3 * p + 2, p + 1)) + far * rng.normal(size=(3 * p + 2, 1))
    return columns.T @ columns


@pytest.mark.parametrize("p", [0, 1, 4])
def test_it_is_the_solution(p):
    A = moments(p, 1)
    solved = Solved.of(A)
    assert_allclose(solved.inverse @ A[:p, :p], np.eye(p), atol=1e-12)
    assert_allclose(A[:p, :p] @ solved.delta, A[:p, p], rtol=1e-12)
    assert_allclose(solved.r2, A[p, p] - A[p, :p] @ solved.delta, rtol=1e-12)
    assert_allclose(solved.logdet, np.linalg.slogdet(A[:p, :p])[1], atol=1e-12)


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("far", [1e6, 1e7, 3e7, 1e8, 1e9])
def test_a_variance_is_positive_or_none(seed, far):
    solved = Solved.of(moments(4, seed, far))
    assert np.isnan(solved.inverse).all() or (np.diag(solved.inverse) > 0).all()


def test_units_change_no_digit():
    A, sizes = moments(4, 2), np.array([2.0**-40, 1.0, 2.0**30, 2.0**-10, 1.0])
    one, other = Solved.of(A), Solved.of(A * np.outer(sizes, sizes))
    assert_allclose(other.inverse * np.outer(sizes[:4], sizes[:4]), one.inverse, rtol=1e-14)


@pytest.mark.parametrize("bad", [-1.0, 0.0, np.nan, 1e-300])
def test_what_is_not_positive_definite_has_no_solution(bad):
    A = moments(3, 0)
    A[1, 1] = bad
    solved = Solved.of(A)
    assert np.isnan(solved.delta).all() and np.isnan(solved.inverse).all() and np.isnan(solved.r2)
    assert solved.logdet == -np.inf

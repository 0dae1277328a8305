"""Dense matrices by loops and by LAPACK: the same numbers."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from bayeslmm.kernel.factor import dense

SIZES = [0, 1, 5, 40, 97, 200]


def bordered(size: int, border: int = 3) -> np.ndarray:
    """A positive definite matrix of which `size` rows and columns are eliminated."""
    root = np.random.default_rng(size).normal(size=(size + border, size + border + 5))
    return root @ root.T / root.shape[1] + np.eye(size + border)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("way", [dense.cholesky_leading, dense._cholesky_by_loops, dense._cholesky_by_lapack])
def test_the_leading_part_is_eliminated(way, size: int) -> None:
    a = bordered(size)
    found = a.copy()
    logdet = way(found, size)
    L = np.linalg.cholesky(a[:size, :size])
    W = np.linalg.solve(L, a[:size, size:]) if size else np.zeros((0, 3))
    assert_allclose(logdet, 2 * np.sum(np.log(np.diag(L))), rtol=1e-13)
    assert_allclose(np.tril(found[:size, :size]), L, rtol=1e-12, atol=1e-13)
    assert_allclose(found[size:, :size], W.T, rtol=1e-11, atol=1e-13)
    assert_allclose(np.tril(found[size:, size:]), np.tril(a[size:, size:] - W.T @ W), rtol=1e-11, atol=1e-13)


@pytest.mark.parametrize("way", [dense._cholesky_by_loops, dense._cholesky_by_lapack])
def test_an_indefinite_matrix_has_no_factor(way) -> None:
    a = bordered(100)
    a[50, 50] = -1.0
    assert way(a, 100) == -np.inf


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("way", [None, dense._invert_by_loops, dense._invert_by_lapack])
def test_the_inverse_is_the_lower_triangle(way, size: int) -> None:
    a = bordered(size)
    factor = np.zeros_like(a)
    factor[:size, :size] = np.linalg.cholesky(a[:size, :size])
    found = np.zeros((size, size))
    if way is None:
        found = dense.inverse_from_cholesky(factor, size)
    else:
        way(factor, found)
    assert_allclose(np.tril(found), np.tril(np.linalg.inv(a[:size, :size])), rtol=1e-10, atol=1e-12)

import numpy as np
import pytest

from bayeslmm.spec.rank import TOLERANCE, independent_columns, levels_beyond

x = np.random.default_rng(0).normal(size=(30, 4))
one = np.ones((30, 1))


def kept(*columns: np.ndarray) -> list[int]:
    return independent_columns(np.column_stack(columns)).tolist()


def test_full_rank_is_kept_whole() -> None:
    assert kept(one, x) == [0, 1, 2, 3, 4]


def test_later_columns_go() -> None:
    assert kept(one, x[:, :2], x[:, 0] - 2 * x[:, 1] + 3, x[:, 2]) == [0, 1, 2, 4]
    assert kept(x[:, 0], x[:, 0], one) == [0, 2]


def test_zero_columns_go() -> None:
    assert kept(0 * one, x[:, 0], 0 * one) == [1]
    assert kept(0 * one) == []


@pytest.mark.parametrize("scale", [1e-12, 1e12])
def test_units_dont_matter(scale: float) -> None:
    assert kept(one, scale * x[:, 0], x[:, 1]) == [0, 1, 2]
    assert kept(one, scale * x[:, 0], x[:, 0]) == [0, 1]


def test_tolerance_is_relative_to_the_column() -> None:
    assert kept(one, one[:, 0] + 1e-9 * x[:, 0]) == [0]
    assert kept(one, one[:, 0] + 1e-5 * x[:, 0]) == [0, 1]


@pytest.mark.parametrize("ratio", [1e-9, 5e-8, 2e-7, 1e-6, 5e-6, 2e-5, 1e-3])
def test_what_is_left_of_a_column_decides_however_much_it_is(ratio: float) -> None:
    left = x[:, :1] - np.mean(x[:, 0])
    near = one + ratio * left / np.sqrt(np.mean(left**2))
    kept_then = [0, 1, 2] if ratio > TOLERANCE else [0, 2]
    assert kept(one, near, x[:, 1]) == kept_then
    assert kept(1e8 * one, 1e-8 * near, x[:, 1]) == kept_then


def test_more_columns_than_rows() -> None:
    wide = np.random.default_rng(1).normal(size=(3, 5))
    assert independent_columns(wide).tolist() == [0, 1, 2]


def test_no_columns() -> None:
    assert independent_columns(np.empty((5, 0))).tolist() == []


@pytest.mark.parametrize("seed", range(20))
def test_levels_beyond_x_are_the_rank_that_dense_algebra_finds(seed: int) -> None:
    rng = np.random.default_rng(seed)
    J = int(rng.integers(2, 7))
    codes = rng.permutation(np.r_[np.arange(J), rng.integers(0, J, 20)])
    between = rng.normal(size=J)[codes]
    X = np.column_stack([np.ones(len(codes)), 2019 + between, rng.normal(size=len(codes))])[:, : seed % 4]
    column = np.where(codes == 0, 0.0, 1.0) if seed % 2 else rng.normal(size=len(codes))
    Z = np.eye(J)[codes] * column[:, None]
    beyond = np.linalg.matrix_rank(np.column_stack([X, Z]), tol=1e-8) - X.shape[1]
    assert levels_beyond(X, codes, column) == beyond

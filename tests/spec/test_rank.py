import numpy as np
import pytest

from bayeslmm.spec.rank import independent_columns

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


def test_more_columns_than_rows() -> None:
    wide = np.random.default_rng(1).normal(size=(3, 5))
    assert independent_columns(wide).tolist() == [0, 1, 2]


def test_no_columns() -> None:
    assert independent_columns(np.empty((5, 0))).tolist() == []

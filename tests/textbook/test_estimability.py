"""Estimable or not, each answer with its witness."""

import numpy as np
import pytest

import bayeslmm as bl
from bayeslmm.errors import DataError

# an intercept, two treatments, a covariate far from 0
X = np.column_stack([np.ones(6), np.repeat(np.eye(2), 3, axis=0), 2019.0 + np.arange(6) % 3])


@pytest.mark.parametrize("c", [[0, 1, -1, 0], [1, 1, 0, 0], [1, 0.5, 0.5, 2020], [0, 0, 0, 1], [0, 0, 0, 0]])
def test_estimable_combinations_have_row_weights(c):
    found = bl.textbook.estimability(c, X)
    assert found
    np.testing.assert_allclose(found.row_weights @ X, c, atol=1e-8)


@pytest.mark.parametrize("c", [[0, 1, 0, 0], [1, 0, 0, 0], [0, 1, 1, 0], [1, 0, 0, 2020]])
def test_the_others_have_an_invisible_change(c):
    found = bl.textbook.estimability(c, X)
    assert not found
    np.testing.assert_allclose(X @ found.invisible, 0, atol=1e-9)
    assert c @ found.invisible == pytest.approx(1, rel=1e-9)


def test_units_change_no_answer():
    units = np.array([1.0, 1e-9, 1e9, 1e6])
    for c, answer in (([0, 1, -1, 0], True), ([0, 1, 0, 0], False), ([0, 1, 1e-3 - 1, 0], False)):
        assert bool(bl.textbook.estimability(np.array(c) * units, X * units)) is answer


def test_c_has_a_number_a_column():
    with pytest.raises(DataError, match="c has 2 numbers; here it has 4"):
        bl.textbook.estimability([1, 2], X)

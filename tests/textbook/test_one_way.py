"""The one-way layout: its sums of squares, and the model in matrix form."""

import numpy as np
import pytest

import bayeslmm as bl
from bayeslmm.errors import DataError, OptionError
from tests.textbook.layouts import UNEQUAL, random_layout

SIZES = [[4, 4, 4], UNEQUAL, [2, 1], [1, 1, 7]]


@pytest.mark.parametrize("sizes", SIZES)
def test_sums_of_squares_are_quadratic_forms_that_add_up(sizes):
    layout = random_layout(sizes)
    between, within = bl.textbook.quadratic_forms(layout)
    assert layout.y @ between @ layout.y == pytest.approx(layout.SSA, rel=1e-9)
    assert layout.y @ within @ layout.y == pytest.approx(layout.SSE, rel=1e-9)
    assert pytest.approx(layout.SST, rel=1e-12) == layout.SSA + layout.SSE
    assert (np.trace(between), np.trace(within)) == pytest.approx((layout.df_A, layout.df_E))
    np.testing.assert_allclose(between @ within, 0, atol=1e-14)


@pytest.mark.parametrize("sizes", SIZES)
def test_expected_mean_squares_are_traces(sizes):
    layout = random_layout(sizes)
    V = layout.matrices(2.0, 3.0).V
    forms = bl.textbook.quadratic_forms(layout)
    mean = np.full(layout.N, 7.0)
    expected = [bl.textbook.expected_quadratic_form(form, V, mean) for form in forms]
    found = bl.textbook.expected_mean_squares(layout, 2.0, 3.0)
    assert found == pytest.approx((expected[0] / layout.df_A, expected[1] / layout.df_E), rel=1e-10)


def test_blocks_of_V_are_patterned():
    layout = random_layout(UNEQUAL)
    V = layout.matrices(2.0, 3.0).V
    determinant = 1.0
    for code, size in enumerate(UNEQUAL):
        rows = layout.codes == code
        block = V[np.ix_(rows, rows)]
        np.testing.assert_allclose(block, bl.textbook.patterned(size, 3.0, 2.0))
        np.testing.assert_allclose(np.linalg.inv(block), bl.textbook.patterned_inverse(size, 3.0, 2.0))
        determinant *= bl.textbook.patterned_determinant(size, 3.0, 2.0)
    assert np.linalg.det(V) == pytest.approx(determinant, rel=1e-10)


def test_the_design_is_the_packages():
    dyes = bl.load_dataset("Dyestuff_unbal")
    layout = bl.textbook.one_way(dyes["Yield"], dyes["Batch"])
    model = bl.LinearMixedModel("Yield ~ 1 + (1 | Batch)", dyes)
    X, Z, V = layout.matrices(8.0, 2.0)
    np.testing.assert_array_equal(X, model.design.X)
    np.testing.assert_array_equal(Z, model.design.Z.toarray())
    np.testing.assert_allclose(V, model.V([2.0], np.sqrt(2.0)), rtol=1e-14)


def test_a_far_origin_takes_no_digits():
    near, far = (random_layout(UNEQUAL, origin=origin) for origin in (0.0, 2.0**30))
    assert pytest.approx(near.SSE, rel=1e-6) == far.SSE
    assert pytest.approx(near.SSA, rel=1e-6) == far.SSA


@pytest.mark.parametrize(
    ("y", "group", "message"),
    [
        ([1.0, 2.0], ["a", "a"], "one level, a"),
        ([1.0, 2.0], ["a", "b"], "each of the 2 groups has one observation"),
        ([1.0, 2.0, 3.0], ["a", "b"], "2 labels and y has 3"),
        ([1.0, np.nan, 3.0], ["a", "a", "b"], "1 missing or infinite"),
        ([1.0, 2.0, 3.0], ["a", None, "b"], "1 missing labels"),
        (["x", "y", "z"], ["a", "a", "b"], "isn't numeric"),
        ([1.0, 1.0, 3.0, 3.0], ["a", "a", "b", "b"], "doesn't vary inside"),
        ([], [], "a sequence of numbers"),
    ],
)
def test_bad_layouts_are_refused(y, group, message):
    with pytest.raises(DataError, match=message):
        bl.textbook.one_way(y, group)


def test_bad_variances_are_refused():
    layout = random_layout([3, 3])
    with pytest.raises(OptionError, match="var_A is -1"):
        layout.matrices(-1.0, 1.0)
    with pytest.raises(OptionError, match="var_E is 0"):
        layout.matrices(1.0, 0.0)
    with pytest.raises(OptionError, match="singular"):
        bl.textbook.patterned_inverse(3, 3.0, -1.0)

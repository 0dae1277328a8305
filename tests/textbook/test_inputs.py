"""What can't be read is refused by name, whatever it is; no foreign exception comes through."""

import pandas as pd
import pytest

import bayeslmm as bl
from bayeslmm.errors import DataError, InputError
from tests.textbook.layouts import random_layout, random_model

t = bl.textbook
NOT_NUMBERS = ["a", None, [[1, 2], [3]], float("nan"), {"a": 1}, pd.NA]
CALLS = {
    "one_way": lambda x: t.one_way(x, [1, 1, 2]),
    "two_way": lambda x: t.two_way(x, [1, 1, 2, 2], [1, 2, 1, 2]),
    "profile": lambda x: t.profile(random_layout([3, 3]), x),
    "icc_interval": lambda x: t.icc_interval(random_layout([3, 3]), x),
    "expected_mean_squares": lambda x: t.expected_mean_squares(random_layout([3, 3]), x, 1.0),
    "expected_quadratic_form": lambda x: t.expected_quadratic_form(x, [[1.0]], [1.0]),
    "patterned": lambda x: t.patterned(2, x, 1.0),
    "patterned_inverse": lambda x: t.patterned_inverse(2, 1.0, x),
    "law_of_SSA": lambda x: t.law_of_SSA(x, 1.0, 1.0),
    "law_of_SSE": lambda x: t.law_of_SSE([2, 2], x),
    "f_test_power": lambda x: t.f_test_power(x, [2, 2]),
    "realized_means": lambda x: t.realized_means(random_layout([3, 3]), 1.0, x),
    "generalized_least_squares": lambda x: t.generalized_least_squares([1.0], x, [[1.0]]),
    "error_contrasts": lambda x: t.error_contrasts(x),
    "ml_bias": lambda x: t.ml_bias(x),
    "estimability": lambda x: t.estimability([1.0], x),
    "conditional_mean": lambda x: t.conditional_mean([1.0], [1.0], x, [[1.0]], [[1.0]]),
    "conditional_covariance": lambda x: t.conditional_covariance([[1.0]], [[1.0]], x),
    "mixed_model": lambda x: t.mixed_model([1.0], [1.0], [1.0], x, [[1.0]]),
    "blup_weights": lambda x: t.blup_weights(random_model(), x, [1.0, 1.0, 1.0]),
    "variance_ratio_level": lambda x: t.variance_ratio_level(3, 3, x),
    "plot_power": lambda x: t.plot_power({"one": x}),
}


@pytest.mark.parametrize("given", NOT_NUMBERS, ids=str)
@pytest.mark.parametrize("name", CALLS)
def test_what_is_no_number_is_refused(name, given):
    with pytest.raises(InputError):
        CALLS[name](given)


def test_a_matrix_is_named_with_its_shape():
    with pytest.raises(DataError, match=r"mean_v has shape \(1, 1\)"):
        t.conditional_mean([1.0], [1.0], [[0.0]], [[1.0]], [[1.0]])
    with pytest.raises(DataError, match=r"a has shape \(1,\); here it is one number"):
        t.patterned(2, [1.0], 1.0)


def test_labels_of_mixed_kinds_are_levels():
    layout = t.one_way([1.0, 2.0, 4.0, 6.0], [1, 1, "b", "b"])
    assert set(layout.groups) == {1, "b"}
    assert sorted(layout.means) == [1.5, 5.0]

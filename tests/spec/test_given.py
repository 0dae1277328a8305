"""Numbers for parameters that have names: one clear error for everything else."""

import numpy as np
import pandas as pd
import pytest

import bayeslmm as bl
from bayeslmm.errors import DataError, OptionError
from bayeslmm.spec.given import check_sizes, has_square, numbers_for

NAMES = ("a", "b")


@pytest.mark.parametrize("given", [[1, 2], (1.0, 2.0), np.array([[1, 2]]), [True, 2]])
def test_numbers_of_any_shape(given: object) -> None:
    np.testing.assert_array_equal(numbers_for("start", given, NAMES), [1.0, 2.0])


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ("ab", "start is 'ab', which isn't numbers; 2 needed: a, b"),
        ({"a": 1}, "which isn't numbers"),
        ([1 + 1j, 2], "which isn't numbers"),
        ([1], "start has 1 values; 2 needed: a, b"),
        ([1, np.nan], "start: b is nan, not a finite number"),
        ([-np.inf, 1], "start: a is -inf, not a finite number"),
    ],
)
def test_anything_else_is_refused(given: object, words: str) -> None:
    with pytest.raises(OptionError, match=words):
        numbers_for("start", given, NAMES)


def test_sizes_whose_squares_are_numbers() -> None:
    assert [has_square(size) for size in (1e-200, 1e-150, 1.0, 1e150, 1e200, np.inf)] == [0, 1, 1, 1, 0, 0]


@pytest.mark.parametrize("values", [[], [0.0, 0.0], [1.0, 1e-300], [np.nan, 1.0], [np.inf, 1.0], [-1e150]])
def test_values_that_can_be_squared(values: list[float]) -> None:
    check_sizes(("x",), np.array(values)[:, None])


def test_values_that_cannot() -> None:
    with pytest.raises(DataError, match=r"x is 1e\+200 at most, whose square is beyond floating point"):
        check_sizes(("x",), np.array([[1.0], [-1e200]]))
    with pytest.raises(DataError, match="x is 1e-200 at most"):
        check_sizes(("x",), np.array([[1e-200], [0.0]]))
    check_sizes(("a part of x",), np.array([[1e-200], [0.0]]), 1.0)


def shuffled() -> tuple[pd.DataFrame, pd.Series]:
    rng = np.random.default_rng(3)
    data = pd.DataFrame({"y": rng.normal(size=12), "g": list("abc") * 4}, index=[f"r{i}" for i in range(12)])
    return data, pd.Series(1 + rng.uniform(size=12), index=data.index).sort_values()


@pytest.mark.parametrize("what", ["weights", "offset"])
def test_a_series_of_rows_in_another_order_is_refused(what: str) -> None:
    data, values = shuffled()
    with pytest.raises(DataError, match=f"{what}: a Series with the data's labels in another order"):
        bl.LinearMixedModel("y ~ 1 + (1 | g)", data, **{what: values})
    for kept in (values.reindex(data.index), values.to_numpy(), values.reset_index(drop=True)):
        bl.LinearMixedModel("y ~ 1 + (1 | g)", data, **{what: kept})


@pytest.mark.filterwarnings("ignore::bayeslmm.errors.SingularFitWarning")
def test_so_is_a_response_and_what_new_rows_are_given() -> None:
    data, values = shuffled()
    fit = bl.LinearMixedModel("y ~ 1 + (1 | g)", data, offset=values.to_numpy(), sigma=1.0).fit()
    with pytest.raises(DataError, match="y: a Series"):
        fit.refit(values)
    with pytest.raises(DataError, match="offset: a Series"):
        fit.predict(data, offset=values)
    assert fit.refit(values.reindex(data.index)).design.y[0] == values["r0"]

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bayeslmm.render.numbers import fixed, percent, rounded, significant


@pytest.mark.parametrize(
    ("value", "error", "text"),
    [
        (10.46729, 1.5458, "10.47"),
        (251.4051, 6.8246, "251.41"),
        (-0.5, 0.33, "−0.500"),
        (12345.6, 1200.0, "12350"),
        (0.0, 0.0, "0"),
        (5.0, float("nan"), "5.00"),
        (float("nan"), 1.0, "–"),
    ],
)
def test_the_error_decides_what_is_printed(value, error, text):
    assert rounded(value, error) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.06557, "0.0656"), (1234567.0, "1.23e+06"), (1e-7, "1.00e-07"), (0.0, "0"), (-2.0, "−2.00")],
)
def test_significant_digits(value, text):
    assert significant(value) == text


def test_no_negative_zero():
    assert fixed(-0.001, 2) == "0.00"


def test_percent():
    assert percent(0.876) == "88 %"
    assert percent(float("nan")) == "–"


@given(st.floats(-1e5, 1e5), st.floats(1e-3, 1e3))
def test_rounding_loses_less_than_a_hundredth_of_the_error(value, error):
    text = rounded(value, error).replace("−", "-")
    assert abs(float(text) - value) <= 0.0051 * error + 1e-9 * abs(value)

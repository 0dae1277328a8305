import numpy as np
import pandas as pd
import pytest

from bayeslmm.errors import OptionError
from bayeslmm.likelihood.fit import LikelihoodFit
from bayeslmm.likelihood.inference.constraints import parse

NAMES = ("a", "b[T.x-1]", "poly(t, 2)[1]", "a:b[T.x-1]")


@pytest.mark.parametrize(
    ("text", "L", "d"),
    [
        ("a", [[1, 0, 0, 0]], [0]),
        ("a - b[T.x-1] = 0, poly(t, 2)[1] = 2", [[1, -1, 0, 0], [0, 0, 1, 0]], [0, 2]),
        ("-a + 2*a:b[T.x-1] = 1", [[-1, 0, 0, 2]], [1]),
        ("a/4 + 3 = poly(t, 2)[1]*2 - 1.5", [[0.25, 0, -2, 0]], [-4.5]),
        ("a = - 2e-1", [[1, 0, 0, 0]], [-0.2]),
        ("a = a:b[T.x-1]", [[1, 0, 0, -1]], [0]),
    ],
)
def test_equations_are_read(text: str, L: list[list[float]], d: list[float]) -> None:
    labels, rows, values = parse(text, NAMES)
    np.testing.assert_allclose(rows, L)
    np.testing.assert_allclose(values, d)
    assert len(labels) == len(L)


@pytest.mark.parametrize(
    "text",
    [
        "`my x`:f[T.b] - poly(`my x`, 2)[1] = 1",
        "`my x:f[T.b]` - `poly(`my x`, 2)[1]` == 1",
        "my x:`f`[T.b] - poly(`my x`, 2)[1] = 1",
        "beta[`my x`:f[T.b]] - beta[poly(`my x`, 2)[1]] = 1",
    ],
)
def test_backticks_and_labels_are_read(text: str) -> None:
    names = ("my x", "poly(`my x`, 2)[1]", "my x:f[T.b]")
    labels, rows, values = parse(text, names, {f"beta[{name}]": name for name in names})
    assert labels == ("my x:f[T.b] - poly(`my x`, 2)[1] = 1",)
    np.testing.assert_array_equal(rows, [[0, -1, 1]])
    np.testing.assert_array_equal(values, [1])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("A = 0", "did you mean 'a'"),
        ("a = 1 = 2", "can't read"),
        ("a b[T.x-1]", "can't read"),
        ("a * = 2", "can't read"),
        ("a =", "can't read"),
        ("1 / a", "can't read"),
        ("a/0 = 1", "can't read"),
        ("a 2 = 1", "can't read"),
        ("3 = 2", "no coefficient"),
        ("a = 0,, a = 1", "empty"),
        ("", "empty"),
    ],
)
def test_what_cant_be_read_says_why(text: str, message: str) -> None:
    with pytest.raises(OptionError, match=message):
        parse(text, NAMES)


def test_matrix_frame_and_text_are_one(sleep: LikelihoodFit) -> None:
    text = sleep.test("Days - Intercept/20 = 0")
    assert sleep.test("beta[Days] - `beta[Intercept]`/20 == 0").F == text.F
    matrix = sleep.test([-0.05, 1.0])
    frame = sleep.test(pd.DataFrame({"Days": [1.0], "Intercept": [-0.05]}))
    for each in (matrix, frame):
        assert (each.F, each.den_df, each.p) == (text.F, text.den_df, text.p)
    assert "F(1," in repr(text)
    assert "Days - Intercept/20 = 0" in text._repr_html_()


def test_value_is_what_is_compared_with(sleep: LikelihoodFit) -> None:
    assert pytest.approx(0, abs=1e-20) == sleep.test([0, 1], value=sleep.beta["Days"]).F
    assert pytest.approx(sleep.test([0, 1], value=10).F) == sleep.test("Days = 10").F


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ([1, 2, 3], "3 numbers a row; the model has 2 coefficients: Intercept, Days"),
        ([0, 0], "all zeros"),
        (pd.DataFrame({"days": [1.0]}), "did you mean 'Days'"),
        ("Days = 1, Days = 2", "contradict"),
    ],
)
def test_bad_contrasts(sleep: LikelihoodFit, given: object, message: str) -> None:
    with pytest.raises(OptionError, match=message):
        sleep.test(given)


@pytest.fixture(scope="module")
def deficient(fitter) -> LikelihoodFit:
    with pytest.warns(match="dropped because"):
        return fitter("yield ~ nitro + C(nitro) + Variety + (1 | Block/Variety)", "Oats")


def test_estimable_or_not(deficient: LikelihoodFit) -> None:
    dropped = deficient.design.dropped[0]
    with pytest.raises(OptionError, match=r"isn't estimable: .* combination of .*nitro"):
        deficient.test(f"{dropped} = 0")
    # the mean at nitro = 0.6 less that at 0 doesn't depend on which column was dropped
    difference = deficient.test(f"0.6*nitro + {dropped} = 0")
    expected = deficient.test("0.6*nitro")
    assert pytest.approx(expected.F) == difference.F

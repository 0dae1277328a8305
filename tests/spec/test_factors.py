import pickle

import numpy as np
import pandas as pd
import pytest

import bayeslmm as bl
from bayeslmm.errors import DataError, OptionError
from bayeslmm.spec.factors import Factor, Grouping, coding_of, factor_of, labels_of, recode

ABCD = Factor(("a", "b", "c", "d"), np.arange(4))


def test_categories_keep_their_order_and_lose_unused_levels() -> None:
    values = pd.Series(pd.Categorical(["z", "a", "z"], categories=["z", "m", "a"]))
    factor = factor_of(values)
    assert factor.levels == ("z", "a")
    np.testing.assert_array_equal(factor.codes, [0, 1, 0])
    assert not factor.ordered


def test_text_and_numbers_are_sorted() -> None:
    assert factor_of(pd.Series(["b", "a", "b"])).levels == ("a", "b")
    assert factor_of(pd.Series([10, 9, 10])).levels == ("9", "10")
    assert factor_of(pd.Series([1.0, 0.5])).levels == ("0.5", "1")


def test_missing_has_no_level() -> None:
    factor = factor_of(pd.Series(["b", None, "None"]))
    assert factor.levels == ("None", "b")
    np.testing.assert_array_equal(factor.codes, [1, -1, 0])


def test_labels() -> None:
    assert labels_of([1, 2.0, 2.5, "x", np.float64(3)]) == ["1", "2", "2.5", "x", "3"]


def test_recode_finds_levels_by_label() -> None:
    np.testing.assert_array_equal(recode(pd.Series([2, 1, 7]), ("1", "2")), [1, 0, -1])
    np.testing.assert_array_equal(recode(pd.Series(["2", None]), ("1", "2")), [1, -1])


def test_interaction_levels_vary_fastest_in_the_last_column() -> None:
    a = factor_of(pd.Series(["x", "y", "x", "y"]))
    b = factor_of(pd.Series(["2", "1", "1", "1"]))
    grouping, codes = Grouping.learn(("a", "b"), [a, b])
    assert grouping.name == "a:b"
    assert grouping.levels == ("x:1", "x:2", "y:1")  # y:2 doesn't occur
    np.testing.assert_array_equal(codes, [1, 2, 0, 2])


def test_grouping_of_new_rows() -> None:
    a = factor_of(pd.Series(["x", "y", "x"]))
    b = factor_of(pd.Series(["2", "1", "1"]))
    grouping, _ = Grouping.learn(("a", "b"), [a, b])
    new = pd.DataFrame({"a": ["y", "y", "z", "x"], "b": [1, 2, 1, None]})
    np.testing.assert_array_equal(grouping.codes(new), [2, -1, -1, -1])


def test_one_column_grouping() -> None:
    grouping, codes = Grouping.learn(("a",), [factor_of(pd.Series(["q", "p"]))])
    np.testing.assert_array_equal(codes, [1, 0])
    np.testing.assert_array_equal(grouping.codes(pd.DataFrame({"a": ["p", "new"]})), [0, -1])


# values of R's contr.treatment(4), contr.sum(4), contr.helmert(4), contr.poly(4)
R_CONTRASTS = {
    "treatment": [[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1]],
    "sum": [[1, 0, 0], [0, 1, 0], [0, 0, 1], [-1, -1, -1]],
    "helmert": [[-1, -1, -1], [1, -1, -1], [0, 2, -1], [0, 0, 3]],
    "poly": [
        [-0.670820393249937, 0.5, -0.223606797749979],
        [-0.223606797749979, -0.5, 0.670820393249937],
        [0.223606797749979, -0.5, -0.670820393249937],
        [0.670820393249937, 0.5, 0.223606797749979],
    ],
}


@pytest.mark.parametrize("kind", R_CONTRASTS)
@pytest.mark.parametrize("prefix", ["", "contr."])
def test_contrasts_are_rs(kind: str, prefix: str) -> None:
    np.testing.assert_allclose(coding_of("f", ABCD, prefix + kind).contrast, R_CONTRASTS[kind], atol=1e-14)


def test_default_contrasts() -> None:
    assert coding_of("f", ABCD).style == "{name}[T.{field}]"
    ordered = coding_of("f", ABCD._replace(ordered=True))
    assert ordered.fields == (".L", ".Q", ".C")


def test_polynomial_contrasts_of_many_levels_stay_orthonormal() -> None:
    many = Factor(tuple(str(i) for i in range(20)), np.arange(20), ordered=True)
    matrix = coding_of("f", many).contrast
    np.testing.assert_allclose(matrix.T @ matrix, np.eye(19), atol=1e-7)
    np.testing.assert_allclose(matrix.sum(axis=0), 0, atol=1e-7)


def test_own_matrix() -> None:
    coding = coding_of("f", ABCD, [[1, 0], [1, 0], [-1, 1], [-1, -1]])
    assert coding.fields == ("1", "2")
    assert coding.style.format(name="f", field="1") == "f[1]"


def test_own_matrix_as_a_frame_finds_rows_by_level() -> None:
    frame = pd.DataFrame({"ends": [1, 0, 0, -1]}, index=["d", "c", "b", "a"])
    coding = coding_of("f", ABCD, frame)
    assert coding.fields == ("ends",)
    np.testing.assert_array_equal(coding.contrast[:, 0], [-1, 0, 0, 1])


@pytest.mark.parametrize(
    ("contrast", "message"),
    [
        ("helmet", "did you mean 'helmert'"),
        (np.eye(3), "shape \\(3, 3\\).*4 levels"),
        (np.eye(4), "fewer columns than levels"),
        (pd.DataFrame({"c": [1, 0, -1]}, index=["a", "b", "c"]), "no row for level 'd'"),
    ],
)
def test_bad_contrasts(contrast: object, message: str) -> None:
    with pytest.raises(OptionError, match=message):
        coding_of("f", ABCD, contrast)


def test_coding_pickles() -> None:
    coding = pickle.loads(pickle.dumps(coding_of("f", ABCD, "sum")))
    assert coding.levels == ABCD.levels


@pytest.mark.parametrize("value", [[1, 2], {"a": 1}, np.zeros(2), {1}])
def test_values_without_a_hash_are_no_levels(value):
    frame = pd.DataFrame({"y": np.arange(8.0), "g": [value, [3]] * 4})
    with pytest.raises(DataError, match="grouping column 'g' holds lists or tables"):
        bl.LinearMixedModel("y ~ 1 + (1 | g)", frame)

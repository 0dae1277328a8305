"""From formula and data to the design: every kind of term, and every kind of bad input."""

import pickle
from typing import Any

import numpy as np
import pandas as pd
import pytest

from bayeslmm.datasets import load_dataset
from bayeslmm.errors import DataError, DesignWarning, FormulaError, InputError, OptionError
from bayeslmm.spec.build import build
from bayeslmm.spec.checks import as_frame
from bayeslmm.spec.covariance import Diagonal, Unstructured
from bayeslmm.spec.in_memory import Built
from bayeslmm.spec.model_spec import ModelSpec


@pytest.fixture(scope="module")
def data() -> pd.DataFrame:
    n = 180
    days = load_dataset("sleepstudy")["Days"].to_numpy(dtype=float)
    return load_dataset("sleepstudy").assign(
        text=["a", "b"] * (n // 2),
        word=["None", "one", "two"] * (n // 3),
        nothing=np.nan,
        one="z",
        row=np.arange(n),
        infinite=np.where(np.arange(n) == 5, np.inf, days),
        constant=3.0,
        flag=days > 4,
        w=1.0 + days,
        negative=days - 1,
        gappy=np.where(days == 3, np.nan, 1.0),
        digits="3",
        date=pd.Timestamp("2020-01-01"),
        **{"dot.ted": days * 2, "two words": days * 3},
    )


def make(formula: str, data: Any, **options: Any) -> Built:
    return build(ModelSpec(formula, **options), data)


@pytest.mark.parametrize(
    ("formula", "coefs"),
    [
        ("Reaction ~ 1", ("Intercept",)),
        ("Reaction ~ (1 | Subject)", ("Intercept",)),
        ("Reaction ~ 0 + (1 | Subject)", ()),
        ("Reaction ~ 0 + text", ("text[a]", "text[b]")),
        ("Reaction ~ text * Days", ("Intercept", "text[T.b]", "Days", "text[T.b]:Days")),
        ("Reaction ~ I(Days^2) + I(Days ** 2)", ("Intercept", "I(Days ** 2)")),
        ("Reaction ~ poly(Days, 2)", ("Intercept", "poly(Days, 2)[1]", "poly(Days, 2)[2]")),
        ("Reaction ~ dot.ted", ("Intercept", "dot.ted")),
        ("Reaction ~ log(dot.ted + 1)", ("Intercept", "log(dot.ted + 1)")),
        ("Reaction ~ `two words`", ("Intercept", "two words")),
        ("Reaction ~ word", ("Intercept", "word[T.one]", "word[T.two]")),
        ("Reaction ~ flag", ("Intercept", "flag[T.True]")),
        ("Reaction ~ sin(2 * pi * Days / 7)", ("Intercept", "sin(2 * pi * Days / 7)")),
        ("Reaction ~ C(text, contr.sum)", ("Intercept", "C(text, contr.sum)[S.a]")),
    ],
)
def test_coefs(data: pd.DataFrame, formula: str, coefs: tuple[str, ...]) -> None:
    design = make(formula, data).design
    assert design.coefs == coefs
    assert design.X.shape == (180, len(coefs))


def test_values(data: pd.DataFrame) -> None:
    design = make("log(Reaction) ~ text:Days + (Days | Subject)", data).design
    np.testing.assert_allclose(design.y, np.log(data["Reaction"]))
    is_a = (data["text"] == "a").to_numpy()
    np.testing.assert_array_equal(
        design.X, np.column_stack([np.ones(180), data["Days"] * is_a, data["Days"] * ~is_a])
    )
    np.testing.assert_array_equal(design.blocks[0].columns, np.column_stack([np.ones(180), data["Days"]]))
    assert design.blocks[0].levels[:2] == ("308", "309")
    assert design.response == "log(Reaction)"


@pytest.mark.filterwarnings("ignore:the data can't tell:bayeslmm.errors.DesignWarning")
def test_several_bars_on_one_group_are_one_block(data: pd.DataFrame) -> None:
    design = make("Reaction ~ (1 | Subject) + (1 | text:word) + (0 + Days + flag | Subject)", data).design
    first, second = design.blocks
    assert (first.group, second.group) == ("Subject", "text:word")
    assert first.coefs == ("Intercept", "Days", "flag[False]", "flag[True]")
    assert first.structures == (Unstructured(1), Unstructured(3))
    assert (first.term_numbers, second.term_numbers) == ((0, 2), (1,))
    assert design.covariance.block_pairs(0) == ((1, 2), (1, 3), (2, 3))


def test_double_bar_equals_separate_bars(data: pd.DataFrame) -> None:
    double = make("Reaction ~ (Days || Subject)", data).design
    separate = make("Reaction ~ (1 | Subject) + (0 + Days | Subject)", data).design
    assert double.blocks[0].structures == (Diagonal(2),)
    theta = np.array([0.5, 2.0])
    np.testing.assert_array_equal(double.covariance.flat(theta), separate.covariance.flat(theta))
    np.testing.assert_array_equal(double.Z.toarray(), separate.Z.toarray())


def test_nesting_equals_its_expansion() -> None:
    pastes = load_dataset("Pastes")
    nested = make("strength ~ 1 + (1 | batch/cask)", pastes).design
    written = make("strength ~ 1 + (1 | batch) + (1 | batch:cask)", pastes).design
    labelled = make("strength ~ 1 + (1 | batch) + (1 | sample)", pastes).design
    assert nested.blocks[1].levels == written.blocks[1].levels == labelled.blocks[1].levels
    np.testing.assert_array_equal(nested.Z.toarray(), labelled.Z.toarray())


@pytest.mark.parametrize("contrast", ["sum", "contr.sum"])
def test_contrasts(data: pd.DataFrame, contrast: str) -> None:
    design = make("Reaction ~ text", data, contrasts={"text": contrast}).design
    assert design.coefs == ("Intercept", "text[S.a]")
    np.testing.assert_array_equal(design.X[:2, 1], [1, -1])


def test_contrasts_hold_in_bars_too(data: pd.DataFrame) -> None:
    design = make("Reaction ~ 1 + (text | Subject)", data, contrasts={"text": "sum"}).design
    assert design.blocks[0].coefs == ("Intercept", "text[S.a]")


def test_ordered_factors_have_polynomial_contrasts() -> None:
    design = make("angle ~ temperature + (1 | replicate)", load_dataset("cake")).design
    assert design.coefs[1:] == tuple(f"temperature[{field}]" for field in (".L", ".Q", ".C", "^4", "^5"))


def test_missing_rows_are_dropped_and_counted() -> None:
    design = make("Reaction ~ Days + (1 | Subject)", load_dataset("sleepstudy_na")).design
    assert (design.n, design.n_missing) == (174, 6)
    assert set(range(180)) - set(design.rows.tolist()) == {4, 11, 32, 60, 89, 179}


def test_only_the_model_s_columns_count_as_missing() -> None:
    design = make("Reaction ~ 1", load_dataset("sleepstudy_na")).design
    assert design.n_missing == 3


def test_missing_offset_drops_the_row(data: pd.DataFrame) -> None:
    assert make("Reaction ~ 1", data, offset="gappy").design.n_missing == 18
    assert make("Reaction ~ 1", data, offset=data["gappy"].to_numpy()).design.n_missing == 18
    assert make("Reaction ~ offset(gappy)", data).design.n_missing == 18


def test_levels_without_rows_are_left_out(data: pd.DataFrame) -> None:
    some = data[data["Subject"].isin(["308", "309", "310"])]
    design = make("Reaction ~ Subject + (1 | Subject)", some).design
    assert design.blocks[0].levels == ("308", "309", "310")
    assert design.coefs == ("Intercept", "Subject[T.309]", "Subject[T.310]")


def test_a_level_may_lose_its_rows_to_missing_values(data: pd.DataFrame) -> None:
    gone = data.assign(Reaction=data["Reaction"].where(data["Subject"] != "308"))
    assert "308" not in make("Reaction ~ (1 | Subject)", gone).design.blocks[0].levels


def test_offsets_add_up(data: pd.DataFrame) -> None:
    design = make("Reaction ~ offset(5 * Days) + offset(w)", data, offset=np.full(180, 2.0)).design
    np.testing.assert_allclose(design.offset, 5 * data["Days"] + data["w"] + 2)
    assert design.coefs == ("Intercept",)
    np.testing.assert_allclose(make("Reaction ~ 1", data, offset="w").design.offset, data["w"])


def test_weights_by_name_and_as_values(data: pd.DataFrame) -> None:
    for weights in ("w", data["w"], data["w"].tolist()):
        np.testing.assert_array_equal(
            make("Reaction ~ 1", data, weights=weights).design.residual.weights, data["w"]
        )


def test_weights_follow_the_rows_kept() -> None:
    gappy = load_dataset("sleepstudy_na")
    weights = np.arange(1.0, 181.0)
    design = make("Reaction ~ Days", gappy, weights=weights).design
    np.testing.assert_array_equal(design.residual.weights, weights[design.rows])


def test_weights_of_dropped_rows_dont_matter() -> None:
    gappy = load_dataset("sleepstudy_na")
    weights = np.where(gappy["Reaction"].isna(), np.nan, 1.0)
    assert make("Reaction ~ 1", gappy, weights=weights).design.n == 177


@pytest.mark.parametrize("index", [np.arange(180)[::-1], ["same"] * 180, np.arange(180) + 0.5])
def test_the_index_doesnt_matter(data: pd.DataFrame, index: Any) -> None:
    formula = "Reaction ~ text * Days + poly(Days, 2):text + (Days | Subject)"
    shuffled = data.set_axis(index, axis=0)
    with pytest.warns(DesignWarning):
        ours, plain = make(formula, shuffled).design, make(formula, data).design
    np.testing.assert_array_equal(ours.X, plain.X)
    np.testing.assert_array_equal(ours.Z.toarray(), plain.Z.toarray())


def test_other_tables(data: pd.DataFrame) -> None:
    columns = {"Reaction": data["Reaction"].tolist(), "Days": data["Days"].tolist()}
    assert make("Reaction ~ Days", columns).design.n == 180

    class Table:
        def to_pandas(self) -> pd.DataFrame:
            return data

    assert make("Reaction ~ Days", Table()).design.n == 180
    numbered = pd.DataFrame({"y": data["Reaction"], 7: data["Days"]})
    assert make("y ~ 1", numbered).design.n == 180


@pytest.mark.parametrize("kind", ["Int64", "Float64", "int8", "float32"])
def test_other_number_types(data: pd.DataFrame, kind: str) -> None:
    design = make("Reaction ~ Days + I(Days^3)", data.assign(Days=data["Days"].astype(kind))).design
    np.testing.assert_array_equal(design.X[:, 2], data["Days"].to_numpy(dtype=float) ** 3)


def test_dependent_columns_are_dropped_and_named() -> None:
    with pytest.warns(DesignWarning, match=r"depend on earlier ones: nitrof\[T.0.6\]") as caught:
        design = make("yield ~ nitro + nitrof + Variety + (1 | Block)", load_dataset("Oats")).design
    assert len(caught) == 1
    assert design.dropped == ("nitrof[T.0.6]",)
    assert np.linalg.matrix_rank(design.X) == design.p == 6


def test_nothing_else_is_computed_from_other_columns(data: pd.DataFrame) -> None:
    few = data[["Reaction", "Days", "Subject"]]
    np.testing.assert_array_equal(
        make("Reaction ~ Days + (1 | Subject)", few).design.X,
        make("Reaction ~ Days + (1 | Subject)", data).design.X,
    )


def test_known_sigma_allows_one_level_a_row(data: pd.DataFrame) -> None:
    assert make("Reaction ~ 1 + (1 | row)", data, sigma=2.0).design.q == 180


@pytest.mark.parametrize(
    ("formula", "kind", "message"),
    [
        ("Reaction ~ Dayz", DataError, "column 'Dayz' is not in the data; did you mean 'Days'"),
        ("Reacton ~ Days", DataError, "response 'Reacton' is not in the data; did you mean 'Reaction'"),
        ("Reaction ~ (1 | Subjct)", DataError, "grouping factor 'Subjct'.*did you mean 'Subject'"),
        ("Reaction ~ (Dayz | Subject)", DataError, "'Dayz'.*'Days'"),
        ("text ~ Days", DataError, "isn't numeric: it holds text such as 'a'"),
        ("digits ~ Days", DataError, "numbers stored as text"),
        ("Subject ~ Days", DataError, "is a factor.*Bambi"),
        ("flag ~ Days", DataError, "true or false.*Bambi"),
        ("log(text) ~ Days", DataError, "isn't numeric"),
        ("poly(Days, 2) ~ 1", DataError, "makes 2 columns"),
        ("constant ~ Days", DataError, "is 3 in every row"),
        ("I(0 * Reaction) ~ Days", DataError, "is 0 in every row"),
        ("Reaction ~ nothing", DataError, "'nothing' is missing in every row"),
        ("nothing ~ Days", DataError, "'nothing' is missing in every row"),
        ("Reaction ~ infinite", DataError, "'infinite' is inf in row 5"),
        ("infinite ~ Days", DataError, "'infinite' is inf in row 5"),
        ("Reaction ~ log(Days)", DataError, r"'log\(Days\)' is -inf in row 0"),
        ("Reaction ~ log(Days - 1)", DataError, "is nan in row 0"),
        ("Reaction ~ (log(Days) | Subject)", DataError, "is -inf in row 0"),
        ("log(Days) ~ 1", DataError, "is -inf in row 0"),
        ("Reaction ~ offset(log(Days))", DataError, "is -inf in row 0"),
        ("Reaction ~ (1 | one)", DataError, "'one' has one level"),
        ("Reaction ~ one", DataError, "'one' has one level"),
        ("Reaction ~ date", DataError, "dates or times"),
        ("Reaction ~ (1 | Subject) + (Days | Subject)", DataError, "'Intercept' comes twice.*'0 \\+'"),
        ("Reaction ~ (0 + Days | Subject) + (Days || Subject)", DataError, "'Days' comes twice"),
        ("Reaction ~ (0 | Subject)", DataError, "makes no column"),
        ("Reaction ~ (0 + I(0 * Days) | Subject)", DataError, "0 in every row"),
        ("Reaction ~ 0 + I(0 * Days)", DataError, "no column of the fixed part is left"),
        (
            "Reaction ~ C(row)",
            DataError,
            "180 independent columns for 180 rows, 179 of .* 'C\\(row\\)', one a level",
        ),
        ("Reaction ~ offset(text)", DataError, "offset column 'text' isn't numeric"),
        ("Reaction ~ offset(3)", DataError, "needs a column"),
        ("Reaction ~ log(Days, Days, Days)", FormulaError, "log"),
        ("Reaction ~ 2 * Days", FormulaError, "Numeric literals"),
        ("Reaction ~ Days * + text", FormulaError, "misplaced"),
        ("Reaction ~ poly(text, 2)", FormulaError, "poly"),
    ],
)
def test_bad_formula_or_column(
    data: pd.DataFrame, formula: str, kind: type[InputError], message: str
) -> None:
    with pytest.raises(kind, match=message):
        make(formula, data)


@pytest.mark.parametrize(
    ("options", "kind", "message"),
    [
        ({"weights": "negative"}, DataError, "36 weights aren't positive.*first is -1"),
        ({"weights": "Days"}, DataError, "first is 0"),
        ({"weights": "gappy"}, DataError, "first is missing"),
        ({"weights": "infinite"}, DataError, "aren't positive"),
        ({"weights": "ww"}, DataError, "weights 'ww' is not in the data; did you mean 'w'"),
        ({"weights": "text"}, DataError, "isn't numeric"),
        ({"weights": [1.0, 2.0]}, DataError, r"weights: \(2,\) values for 180 rows"),
        ({"weights": ["a"] * 180}, DataError, "weights: these aren't numbers"),
        ({"offset": [1.0, 2.0]}, DataError, r"offset: \(2,\) values for 180 rows"),
        ({"offset": "Dayz"}, DataError, "offset 'Dayz'.*'Days'"),
        ({"offset": "text"}, DataError, "isn't numeric"),
        ({"contrasts": {"texx": "sum"}}, OptionError, "did you mean 'text'"),
        ({"contrasts": {"Days": "sum"}}, OptionError, "it is numeric"),
        ({"contrasts": {"text": "sun"}}, OptionError, "did you mean 'sum'"),
    ],
)
def test_bad_options(
    data: pd.DataFrame, options: dict[str, Any], kind: type[InputError], message: str
) -> None:
    with pytest.raises(kind, match=message):
        make("Reaction ~ Days + text", data, **options)


def test_missing_values_refused() -> None:
    with pytest.raises(DataError, match="'Reaction' in 3, 'Days' in 3, 'Subject' in 1 rows"):
        make("Reaction ~ Days + (1 | Subject)", load_dataset("sleepstudy_na"), missing="error")


def test_nothing_left(data: pd.DataFrame) -> None:
    with pytest.raises(DataError, match="no rows"):
        make("Reaction ~ Days", data.iloc[:0])
    half = data["Days"] < 5
    apart = data.assign(Reaction=data["Reaction"].where(half), Days=data["Days"].where(~half))
    with pytest.raises(DataError, match="no row is complete"):
        make("Reaction ~ Days", apart)


def test_no_column_of_the_fixed_part_is_left(data: pd.DataFrame) -> None:
    with pytest.raises(DataError, match="no column of the fixed part is left: all are zero"):
        make("Reaction ~ 0 + zero + I(2 * zero)", data.assign(zero=0.0))


def test_collinear_columns_leave_the_first(data: pd.DataFrame) -> None:
    twice = data.assign(again=2 * data["Days"], third=-data["Days"])
    with pytest.warns(DesignWarning, match="again, third"):
        assert make("Reaction ~ 0 + Days + again + third", twice).design.coefs == ("Days",)


def test_more_columns_than_rows(data: pd.DataFrame) -> None:
    with pytest.raises(DataError, match="2 independent columns for 2 rows"):
        make("Reaction ~ Days", data.iloc[:2])


def test_not_a_table() -> None:
    with pytest.raises(DataError, match="not a list"):
        make("y ~ x", [1, 2, 3])
    with pytest.raises(DataError, match=r"columns have 2 names each, such as \('y', 'a'\)"):
        make("y ~ 1", pd.DataFrame({("y", "a"): [1.0, 2.0]}))


def test_a_column_twice(data: pd.DataFrame) -> None:
    with pytest.raises(DataError, match="'Days' is in the data 2 times"):
        make("Reaction ~ Days", pd.concat([data[["Reaction", "Days"]], data[["Days"]]], axis=1))


def test_data_are_left_alone(data: pd.DataFrame) -> None:
    before = data.copy()
    own = np.ones(180)
    make("Reaction ~ text * Days + (Days | Subject)", data, weights="w", offset=own)
    pd.testing.assert_frame_equal(data, before)
    own[0] = 2.0  # still the caller's


def test_built_pickles(data: pd.DataFrame) -> None:
    built = make("Reaction ~ poly(Days, 2) * text + (Days || Subject)", data)
    again = pickle.loads(pickle.dumps(built))
    np.testing.assert_array_equal(again.design.X, built.design.X)


class LazyTable:
    """As a lazy frame of polars: it has to be collected before it can be converted."""

    def collect_schema(self) -> None: ...

    def collect(self) -> "EagerTable":
        return EagerTable()


class EagerTable:
    def to_pandas(self) -> pd.DataFrame:
        return pd.DataFrame({"y": [1.0, 2.0]})


class Unconvertible:
    def to_pandas(self) -> pd.DataFrame:
        raise ModuleNotFoundError("pa.Table requires 'pyarrow' module")


def test_a_lazy_table_is_collected():
    assert as_frame(LazyTable())["y"].tolist() == [1.0, 2.0]


def test_a_table_whose_converter_is_missing_says_what_to_install():
    with pytest.raises(DataError, match="pyarrow"):
        as_frame(Unconvertible())

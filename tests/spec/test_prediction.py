"""New rows in the shapes that users have them, and the index of the answer."""

import datetime as dt
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest

import bayeslmm as bl
from bayeslmm.errors import DataError, OptionError
from bayeslmm.spec.prediction import chosen_coefs, new_frame

ROW = {"x": 0.5, "f": "b", "g": 3}


def data() -> pd.DataFrame:
    rng = np.random.default_rng(7)
    g, f = np.repeat(np.arange(8), 6), np.tile([0, 1], 24)
    x, o = rng.normal(size=48), rng.uniform(1, 3, 48)
    y = x + o + f + rng.normal(size=8)[g] + rng.normal(size=48)
    columns = {"y": y, "x": x, "f": np.array(["a", "b"])[f], "g": g, "o": o, "w": rng.uniform(1, 9, 48)}
    return pd.DataFrame(columns)


@pytest.fixture(scope="module")
def fit():
    return bl.LinearMixedModel("y ~ x + f + (1 | g)", data()).fit()


@pytest.mark.parametrize(
    "rows",
    [
        ROW,
        pd.Series(ROW),
        [ROW],
        {name: [value] for name, value in ROW.items()},
        {**ROW, "g": [3]},
        {**ROW, "x": Decimal("0.5")},
        {**ROW, "x": np.float32(0.5)},
        {**ROW, "x": pd.array([0.5], dtype="Float64")},
        pd.DataFrame({**ROW, "f": pd.Categorical(["b"], categories=["b", "a", "z"])}, index=[0]),
    ],
)
def test_one_row_in_any_shape(fit, rows) -> None:
    expected = fit.predict(pd.DataFrame([ROW]))
    pd.testing.assert_series_equal(fit.predict(rows), expected)


@pytest.mark.parametrize(
    ("value", "seen"),
    [
        ("abc", "text such as 'abc'"),
        ("True", "text such as 'True'"),
        ("0.5", "text such as '0.5'"),
        (pd.Timestamp("2020-01-01"), "dates or times"),
        (dt.date(2020, 1, 1), "dates or times"),
        (pd.Timedelta("1D"), "dates or times"),
        (1j, "complex numbers"),
        (pd.Period("2020"), "dates or times"),
        (np.True_, "truth such as True"),
    ],
)
def test_what_is_no_number_is_named(fit, value, seen) -> None:
    with pytest.raises(DataError, match=f"column 'x' is numeric in the model, and here it holds {seen}"):
        fit.predict({**ROW, "x": [value]})


@pytest.mark.parametrize("value", [None, np.nan, pd.NA, pd.NaT])
def test_a_missing_number_makes_a_missing_prediction(fit, value) -> None:
    assert np.isnan(fit.predict({**ROW, "x": value})).all()


@pytest.mark.parametrize("rows", [{"x": [1.0, 2.0], "f": ["a"], "g": [1]}, 3, "abc"])
def test_what_is_no_table_is_refused(rows) -> None:
    with pytest.raises(DataError):
        new_frame(rows)


def test_a_text_where_the_weights_are() -> None:
    model = bl.LinearMixedModel("y ~ x + (1 | g)", data(), weights="w")
    row = data().iloc[:1]
    with pytest.raises(DataError, match="weights column 'w' isn't numeric"):
        model.fit().predict(row.assign(w="heavy"), interval="prediction")
    with pytest.raises(DataError, match="column 'w' of the weights isn't in the new rows; add it, or give"):
        model.fit().predict(row.drop(columns="w"), interval="prediction")
    with pytest.raises(DataError, match="weights aren't positive"):
        model.fit().predict(row, interval="prediction", weights=-1)
    assert np.isfinite(model.fit().predict(row.drop(columns="w"), interval="confidence")["se"]).all()


@pytest.mark.parametrize("how", ["column", "values"])
def test_weights_and_offset_of_new_rows(how: str) -> None:
    rows = data()
    own = {"weights": rows["w"].to_numpy(), "offset": rows["o"].to_numpy()}
    given = {"weights": "w", "offset": "o"} if how == "column" else own
    fit = bl.LinearMixedModel("y ~ x + (1 | g)", rows, **given).fit()
    expected = fit.predict(interval="prediction").iloc[:9]
    some = {name: values[:9] for name, values in own.items()}
    found = fit.predict(rows.iloc[:9].drop(columns=["w", "o"]), interval="prediction", **some)
    pd.testing.assert_frame_equal(found, expected)
    if how == "column":
        pd.testing.assert_frame_equal(fit.predict(rows.iloc[:9], interval="prediction"), expected)
    else:
        with pytest.raises(DataError, match="the model's offset came as values, so new rows need their own"):
            fit.predict(rows.iloc[:9])
        with pytest.raises(DataError, match="the model's weights came as values"):
            fit.predict(rows.iloc[:9], interval="prediction", offset="o")
        assert fit.predict(rows.iloc[:9], offset="o").equals(expected["prediction"])
        with pytest.raises(DataError, match="3,"):
            fit.predict(rows.iloc[:9], offset=[1.0, 2.0, 3.0])


def test_a_missing_weight_or_offset_is_a_missing_value() -> None:
    rows = data()
    fit = bl.LinearMixedModel("y ~ x + (1 | g)", rows, weights="w", offset="o").fit()
    new = rows.iloc[:3].assign(w=[1.0, np.nan, 1.0], o=[1.0, 1.0, np.nan])
    assert fit.predict(new).isna().tolist() == [False, False, True]
    assert fit.predict(new, interval="prediction")["se"].isna().tolist() == [False, True, True]


@pytest.mark.parametrize("random", [None, 3, [None], [["g"]], {"g": 1}.values()])
def test_what_is_no_name_of_an_effect(fit, random) -> None:
    with pytest.raises(OptionError, match="it is 'all', 'none'"):
        chosen_coefs(fit.design.blocks, random)


INDEXES = {
    "text": [f"row {i}" for i in range(48)],
    "twice": np.repeat(np.arange(24), 2),
    "pairs": pd.MultiIndex.from_product([["a", "b"], range(24)], names=["one", "two"]),
    "dates": pd.date_range("2020-01-01", periods=48),
    "zoned": pd.date_range("2020-01-01", periods=48, tz="Europe/Berlin"),
    "shuffled": np.random.default_rng(1).permutation(48),
}


@pytest.mark.parametrize("name", INDEXES)
def test_the_index_is_the_users(name: str) -> None:
    rows = data().set_index(pd.Index(INDEXES[name]))
    rows.iloc[5, rows.columns.get_loc("x")] = np.nan
    fit = bl.LinearMixedModel("y ~ x + (1 | g)", rows).fit()
    kept = rows.index[np.r_[:5, 6:48]]
    for values in (fit.fitted, fit.residuals, fit.pearson_residuals, fit.hat_values, fit.predict()):
        assert values.index.equals(kept)
    assert fit.simulate(2, seed=1).index.equals(kept)
    assert next(fit.fitted_chunks()).index.equals(kept)
    again = fit.predict(rows)
    assert again.index.equals(rows.index)
    np.testing.assert_allclose(again.dropna(), fit.predict(), rtol=1e-12)

"""What correlation= and variance= learn of a table, and the one error for what can't be."""

import warnings

import numpy as np
import pandas as pd
import pytest

import bayeslmm as bl
from bayeslmm.errors import BayesLMMError, DataError, FormulaError, OptionError
from bayeslmm.spec.residual import Form

C, V = bl.correlation, bl.variance


def rows() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    t, g = np.tile(np.arange(4), 10), np.repeat(np.arange(10), 4)
    y = rng.standard_normal(40) + 0.5 * rng.standard_normal(10)[g]
    frame = pd.DataFrame({"y": y, "x": rng.uniform(1, 2, 40), "t": t, "g": g.astype(str)})
    frame["visit"] = "v" + frame["t"].astype(str)
    frame["arm"] = np.where(g < 5, "PBO", "TRT")
    return frame.assign(u=frame["t"] + 0.5, one="a", zero=frame["t"] * 1.0, pair=frame["t"] // 2)


@pytest.mark.parametrize(
    ("text", "coordinates", "groups"),
    [
        ("Time | Mare", ("Time",), ("Mare",)),
        ("1 | g", (), ("g",)),
        ("~ x + y | a/b", ("x", "y"), ("a", "b")),
        ("`a b` | `c|d`", ("a b",), ("c|d",)),
        ("x", ("x",), ()),
    ],
)
def test_forms(text: str, coordinates: tuple[str, ...], groups: tuple[str, ...]) -> None:
    found = Form.read(text)
    assert (found.coordinates, found.groups) == (coordinates, groups)


@pytest.mark.parametrize("text", ["a | b | c", "a + | g", " | g"])
def test_forms_that_say_nothing(text: str) -> None:
    with pytest.raises(FormulaError):
        Form.read(text)


BAD = [
    ({"correlation": "AR1"}, OptionError, "correlation= is a structure"),
    ({"variance": C.AR1("t | g")}, OptionError, "variance= is a structure"),
    ({"correlation": C.AR1("when | g")}, DataError, "'when' is not in the data"),
    ({"correlation": C.AR1("u | g")}, DataError, "whole steps of 'u'"),
    ({"correlation": C.Unstructured("u | g")}, DataError, "whole steps of 'u'"),
    ({"correlation": C.AR1("pair | g")}, DataError, "same pair as another row"),
    ({"correlation": C.Exponential("pair | g")}, DataError, "same pair as another row"),
    ({"correlation": C.CAR1("visit | g")}, DataError, "'visit' is a factor"),
    ({"correlation": C.AR1("t + x | g")}, DataError, "one coordinate"),
    ({"correlation": C.Linear("t + x | g")}, DataError, "one coordinate"),
    ({"correlation": C.AR1("1 | y")}, DataError, "every group of '1 | y' has one row"),
    ({"correlation": C.AR1("t | g", by="visit")}, DataError, "different 'visit'"),
    ({"correlation": C.AR1("t | g", start=1.5)}, OptionError, "lies between -1 and 1"),
    ({"correlation": C.AR1("t | g", start=[0.1, 0.2])}, OptionError, "start has 2 values"),
    ({"correlation": C.AR1("t | g", start="half")}, OptionError, "start is 'half', which isn't numbers"),
    ({"correlation": C.Exponential("t | g", start=1e200)}, OptionError, "floating point doesn't hold"),
    ({"variance": V.Exp("x", start=-1e200)}, OptionError, "floating point doesn't hold"),
    ({"variance": V.Exp("x", start=1e200, fixed=True)}, OptionError, "floating point doesn't hold"),
    ({"correlation": C.Toeplitz("t | g", start=[0.9, -0.9, 0.9])}, OptionError, "no correlation matrix"),
    ({"variance": V.Power("zero")}, DataError, "'zero' is 0 in 10 rows"),
    ({"variance": V.Fixed("zero")}, DataError, "'zero' is 0 in 10 rows"),
    ({"variance": V.Ident("y")}, DataError, "has one row"),
    ({"variance": V.Ident("one")}, DataError, "'one' has one level in these rows, 'a'"),
]


@pytest.mark.parametrize(("asked", "kind", "words"), BAD)
def test_one_clear_error(asked: dict[str, object], kind: type[BayesLMMError], words: str) -> None:
    with pytest.raises(kind, match=words.replace("|", r"\\|").replace("(", r"\\(")):
        bl.LinearMixedModel("y ~ x", rows(), **asked)


ALIKE = [
    ("y ~ x + (1 | g)", {"correlation": C.CompoundSymmetry("1 | g")}, rows()),
    ("y ~ x + (1 | g)", {"correlation": C.AR1("t | g")}, rows().query("t < 2")),
    ("y ~ x + (1 | g)", {"correlation": C.Unstructured("visit | g")}, rows()),
    ("y ~ x", {"correlation": C.Exponential("t | g", nugget=True)}, rows().query("t < 2")),
    ("y ~ x", {"variance": V.Ident("arm") * V.Ident("arm")}, rows()),
]


@pytest.mark.parametrize(("formula", "asked", "data"), ALIKE)
def test_structures_that_cant_be_told_apart(
    formula: str, asked: dict[str, object], data: pd.DataFrame
) -> None:
    model = bl.LinearMixedModel(formula, data, **asked)
    with pytest.raises(DataError, match=r"can't tell .* apart"):
        model.fit()


def test_a_pair_of_visits_that_nobody_has() -> None:
    data = rows()
    never = data[~((data["t"] == 0) & (data["g"] > "4")) & ~((data["t"] == 3) & (data["g"] <= "4"))]
    model = bl.LinearMixedModel("y ~ x", never, correlation=C.Unstructured("visit | g"))
    with pytest.raises(DataError, match=r"nothing in the data tells cor\[visit: v0, v3\]"):
        model.fit()


def test_rows_in_chunks_are_refused(tmp_path) -> None:
    rows().to_parquet(tmp_path / "rows.parquet")
    with pytest.raises(OptionError, match="read in chunks"):
        bl.LinearMixedModel("y ~ x", tmp_path / "rows.parquet", correlation=C.AR1("t | g"))


def test_numbers_and_levels_count_alike() -> None:
    by_number, by_level = (
        bl.LinearMixedModel("y ~ x", rows(), correlation=C.AR1(form)).fit() for form in ("t | g", "visit | g")
    )
    assert by_number.criterion_value == pytest.approx(by_level.criterion_value, abs=1e-9)


def test_order_of_rows_and_units_don_t_matter() -> None:
    data = rows().assign(late=lambda d: 1e4 + 86400 * d["u"])
    shuffled = data.sample(frac=1, random_state=1)
    first = bl.LinearMixedModel("y ~ x", data, correlation=C.CAR1("u | g")).fit()
    other = bl.LinearMixedModel("y ~ x", shuffled, correlation=C.CAR1("late | g")).fit()
    assert other.criterion_value == pytest.approx(first.criterion_value, abs=1e-8)
    (phi,), (tiny,) = (fit.residual_parameters["value"] for fit in (first, other))
    assert tiny**86400 == pytest.approx(phi, rel=1e-4)


def test_strata_have_parameters_of_their_own() -> None:
    data = rows()
    fit = bl.LinearMixedModel(
        "y ~ x", data, correlation=C.AR1("t | g", by="arm"), variance=V.Ident("visit", by="arm")
    ).fit()
    names = fit.residual_parameters["name"].tolist()
    assert names[:2] == ["phi[AR1 | PBO]", "phi[AR1 | TRT]"]
    assert names[2:4] == ["sd[visit: v0 | PBO]", "sd[visit: v0 | TRT]"]
    parts = [
        bl.LinearMixedModel("y ~ 1", data[data["arm"] == arm], correlation=C.AR1("t | g"))
        for arm in ("PBO", "TRT")
    ]
    apart = [part.fit("ML") for part in parts]
    both = bl.LinearMixedModel(
        "y ~ arm", data, correlation=C.AR1("t | g", by="arm"), variance=V.Ident("arm")
    ).fit("ML")
    assert both.criterion_value == pytest.approx(sum(fit.criterion_value for fit in apart), abs=1e-6)


def test_what_is_fixed_stays_and_isn_t_counted() -> None:
    free = bl.LinearMixedModel("y ~ x", rows(), correlation=C.AR1("t | g")).fit()
    phi = float(free.residual_parameters["value"].iloc[0])
    fixed = bl.LinearMixedModel("y ~ x", rows(), correlation=C.AR1("t | g", start=phi, fixed=True)).fit()
    assert fixed.criterion_value == pytest.approx(free.criterion_value, abs=1e-9)
    assert fixed.n_params == free.n_params - 1
    assert fixed.residual_parameters[["name", "value"]].to_numpy().tolist() == [
        ["phi[AR1]", pytest.approx(phi)]
    ]
    assert fixed.residual_parameters[["se", "lower", "upper"]].isna().all(axis=None)
    assert "phi[AR1] (kept)" in str(fixed.summary())
    with pytest.raises(OptionError, match="give start= for phi"):
        bl.LinearMixedModel("y ~ x", rows(), correlation=C.AR1("t | g", fixed=True))


def test_what_sigma_moves_of_what_is_fixed() -> None:
    """nlme: varIdent(fixed = c(TRT = 0.5)) has 1 and 0.5 times the residual standard error."""
    fit = bl.LinearMixedModel("y ~ x", rows(), variance=V.Ident("arm", start=0.5, fixed=True)).fit()
    found = fit.residual_parameters.set_index("name")
    assert found.index.tolist() == ["sd[arm: PBO]", "sd[arm: TRT]"]
    sigma = fit.estimates().frame.loc["sigma", ["estimate", "se", "lower", "upper"]].to_numpy(float)
    np.testing.assert_allclose(found.to_numpy(), [sigma, 0.5 * sigma], rtol=1e-12)


STARTED = {
    "AR1": (lambda start: {"correlation": C.AR1("t | g", start=start)}, 1),
    "ARMA": (lambda start: {"correlation": C.ARMA("t | g", p=1, q=1, start=start)}, 2),
    "Exponential": (lambda start: {"correlation": C.Exponential("t | g", nugget=True, start=start)}, 2),
    "RationalQuadratic": (lambda start: {"correlation": C.RationalQuadratic("t | g", start=start)}, 1),
    "Toeplitz": (lambda start: {"correlation": C.Toeplitz("t | g", start=start)}, 3),
    "Power": (lambda start: {"variance": V.Power("x", start=start)}, 1),
    "Ident": (lambda start: {"variance": V.Ident("arm", start=start)}, 1),
}
FAR = [1e-200, 1e-8, 0.5, -0.5, 1 - 1e-14, 1e8, -1e8, 1e200]


@pytest.mark.parametrize("name", STARTED)
def test_any_start_leads_to_the_optimum_or_is_refused(name: str) -> None:
    """It stands beside the usual ones, so that a start from which nothing is seen does no harm."""
    asked, n = STARTED[name]
    usual = bl.LinearMixedModel("y ~ x", rows(), **asked(None)).fit().criterion_value
    for size in FAR:
        try:
            found = bl.LinearMixedModel("y ~ x", rows(), **asked([size] * n)).fit().criterion_value
        except OptionError:
            assert size != 0.5
        else:
            assert found == pytest.approx(usual, abs=1e-6)


def test_a_long_series() -> None:
    rng = np.random.default_rng(1)
    n = 100_000
    e = np.empty(n)
    e[0], noise = rng.standard_normal(), rng.standard_normal(n) * np.sqrt(1 - 0.7**2)
    for i in range(1, n):
        e[i] = 0.7 * e[i - 1] + noise[i]
    data = pd.DataFrame({"y": 1 + e, "x": rng.standard_normal(n), "g": "one"})
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        fit = bl.LinearMixedModel("y ~ x", data, correlation=C.AR1("1 | g")).fit()
    row = fit.residual_parameters.iloc[0]
    assert abs(row["value"] - 0.7) < 4 * row["se"]
    assert row["se"] == pytest.approx(np.sqrt((1 - 0.7**2) / n), rel=0.05)


def test_an_exponential_of_a_column_far_from_0_needs_its_mean_off():
    data = pd.DataFrame({"y": np.sin(np.arange(30.0)), "year": 2000 + np.arange(30) % 9})
    assert np.isfinite(bl.LinearMixedModel("y ~ 1", data, variance=V.Exp("year")).fit().sigma)
    with pytest.raises(DataError, match="subtract its mean"):
        bl.LinearMixedModel("y ~ 1", data.assign(year=2000 + data["year"] / 9), variance=V.Exp("year"))

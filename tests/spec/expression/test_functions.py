"""What a formula may call: R's ways to make factors, and numbers that are learnt once."""

from typing import Any

import numpy as np
import pandas as pd
import pytest

import bayeslmm as bl
from bayeslmm.errors import BayesLMMError, DataError, DesignWarning, FormulaError
from bayeslmm.spec.build import build
from bayeslmm.spec.model_spec import ModelSpec

rng = np.random.default_rng(4)
DATA = pd.DataFrame(
    {
        "y": rng.normal(size=36) + np.repeat([9.0, 11.0, 14.0, 6.0], 9),
        "x": rng.normal(size=36),
        "f": list("abc") * 12,
        "d": [1, 2, 3, 4] * 9,
        "o": pd.Categorical(["lo", "mid", "hi"] * 12, ["lo", "mid", "hi"], ordered=True),
        "g": np.repeat(list("pqrs"), 9),
        "b": [True, False, False] * 12,
    }
)


def coefs(terms: str, **options: Any) -> tuple[str, ...]:
    return build(ModelSpec(f"y ~ {terms}", **options), DATA).design.coefs[1:]


@pytest.mark.parametrize(
    ("terms", "expected"),
    [
        ("C(f, sum)", ("C(f, sum)[S.a]", "C(f, sum)[S.b]")),
        ("C(f, 'contr.sum')", ("C(f, 'contr.sum')[S.a]", "C(f, 'contr.sum')[S.b]")),
        ("C(f, contr.sum())", ("C(f, contr.sum())[S.a]", "C(f, contr.sum())[S.b]")),
        ("C(f, helmert)", ("C(f, helmert)[H.b]", "C(f, helmert)[H.c]")),
        ("C(f, Poly)", ("C(f, Poly)[.L]", "C(f, Poly)[.Q]")),
        ("factor(f, ref='b')", ("C(f, ref='b')[T.a]", "C(f, ref='b')[T.c]")),
        ("C(f, contr.treatment(base='c'))", tuple(f"C(f, contr.treatment(base='c'))[T.{k}]" for k in "ab")),
        ("C(f, contr.treatment(base=2))", tuple(f"C(f, contr.treatment(base=2))[T.{k}]" for k in "ac")),
        ("C(f, base=3)", tuple(f"C(f, base=3)[T.{k}]" for k in "ab")),
        ("factor(f, levels=c('c', 'a', 'b'))", tuple(f"C(f, levels=['c', 'a', 'b'])[T.{k}]" for k in "ab")),
        ("factor(d)", ("C(d)[T.2]", "C(d)[T.3]", "C(d)[T.4]")),
        ("factor(d, ref=3)", ("C(d, ref=3)[T.1]", "C(d, ref=3)[T.2]", "C(d, ref=3)[T.4]")),
        ("o", ("o[.L]", "o[.Q]")),
        ("factor(o)", ("C(o)[.L]", "C(o)[.Q]")),
        ("factor(o, ref='hi')", ("C(o, ref='hi')[T.lo]", "C(o, ref='hi')[T.mid]")),
        ("dummy(f)", ("dummy(f)[b]", "dummy(f)[c]")),
        ("dummy(f, 'a')", ("dummy(f, 'a')",)),
        ("dummy(f, c('a', 'c'))", ("dummy(f, ['a', 'c'])[a]", "dummy(f, ['a', 'c'])[c]")),
        ("b", ("b[T.True]",)),
        ("I(f == 'a')", ("I(f == 'a')[T.True]",)),
        ("I(f %in% c('a', 'b'))", ("I(f %in% ['a', 'b'])[T.True]",)),
        ("(x > 0 & !b)", ("I(x > 0 & !b)[T.True]",)),
        ("I(x^2 %% 2)", ("I(x ** 2 %% 2)",)),
        ("{x + d}", ("I(x + d)",)),
        ("ifelse(b, 'u', 'v')", ("ifelse(b, 'u', 'v')[T.v]",)),
    ],
)
def test_coefs(terms: str, expected: tuple[str, ...]) -> None:
    assert coefs(terms) == expected


@pytest.mark.parametrize(
    ("term", "values"),
    [
        ("I((x > 0) + (d > 2))", (DATA["x"] > 0).astype(float) + (DATA["d"] > 2)),
        ("I(x - mean(x))", DATA["x"] - DATA["x"].mean()),
        ("I(x / sd(x))", DATA["x"] / DATA["x"].std()),
        ("log(y, 2)", np.log2(DATA["y"])),
        ("np.clip(x, -1, 1)", DATA["x"].clip(-1, 1)),
        ("np.maximum(x, d)", np.maximum(DATA["x"], DATA["d"])),
        ("round(x, 1)", DATA["x"].round(1)),
        ("I(d %/% 2)", DATA["d"] // 2),
        ("I(-d ** 2)", -(DATA["d"] ** 2.0)),
        ("I(2 ** -d)", 2.0 ** -DATA["d"]),
        ("as.numeric(b)", DATA["b"].astype(float)),
        ("np.where(f == 'a', x, 0)", DATA["x"].where(DATA["f"] == "a", 0)),
    ],
)
def test_values_and_their_replay(term: str, values: "pd.Series[float]") -> None:
    built = build(ModelSpec(f"y ~ {term}"), DATA)
    np.testing.assert_allclose(built.design.X[:, 1], values, rtol=1e-14)
    np.testing.assert_allclose(built.recipe.replay(DATA.tail(5)).X[:, 1], values.tail(5), rtol=1e-14)


@pytest.mark.parametrize(
    ("terms", "message"),
    [
        ("I(2)", "not one value for each of the 36 rows"),
        ("I(f + 1)", "text stands where a number is needed"),
        ("I(0 < x < 1)", "aren't chained"),
        ("x > 1", "stands in parentheses"),
        ("cut(x, 3)", "'cut' isn't known"),
        ("factor(f, ref='z')", "levels are 'a', 'b', 'c'"),
        ("dummy(f, 'z')", "levels are 'a', 'b', 'c'"),
        ("C(f, helmet)", "did you mean 'helmert'"),
        ("poly(x, 40)", "degree= lies between 1 and 35"),
        ("x[0]", "elements can't be picked"),
    ],
)
def test_refusals(terms: str, message: str) -> None:
    with pytest.raises(BayesLMMError, match=message):
        coefs(terms)


def test_columns_go_before_constants() -> None:
    data = DATA.assign(pi=DATA["x"], TRUE=DATA["d"])
    np.testing.assert_array_equal(build(ModelSpec("y ~ I(pi * 2)"), data).design.X[:, 1], 2 * DATA["x"])
    np.testing.assert_array_equal(
        build(ModelSpec("y ~ I(TRUE + x)"), data).design.X[:, 1], DATA["d"] + DATA["x"]
    )
    np.testing.assert_allclose(build(ModelSpec("y ~ I(pi * x)"), DATA).design.X[:, 1], np.pi * DATA["x"])


def test_the_intercept_and_columns_that_look_like_it() -> None:
    names = {"1": DATA["x"], "Intercept": DATA["d"], "x:d": DATA["y"] * 2, "log(y)": DATA["x"] ** 2}
    design = build(
        ModelSpec("y ~ `1` + Intercept + x:d + `x:d` + log(y) + `log(y)`"), DATA.assign(**names)
    ).design
    assert design.coefs == ("Intercept", "`1`", "`Intercept`", "`x:d`", "log(y)", "`log(y)`", "x:d")


def test_anova_of_factors_made_in_the_formula_is_that_of_columns() -> None:
    columns = DATA.assign(two=DATA["d"].astype(str), plus=DATA["x"] > 0, **{"a b": DATA["f"]})
    made = bl.LinearMixedModel("y ~ factor(d) * (x > 0) + (1 | g)", columns).fit()
    given = bl.LinearMixedModel("y ~ two * plus + (1 | g)", columns).fit()
    ticked = bl.LinearMixedModel("y ~ `a b` * `x` + (1 | g)", columns).fit()
    plain = bl.LinearMixedModel("y ~ f * x + (1 | g)", columns).fit()
    for kind in (1, 2, 3):
        np.testing.assert_allclose(made.anova(kind)["F"], given.anova(kind)["F"], rtol=1e-8)
        np.testing.assert_allclose(ticked.anova(kind)["F"], plain.anova(kind)["F"], rtol=1e-8)


def test_a_structure_by_visits_needs_a_factor() -> None:
    with pytest.raises(DataError, match=r"ar1\(0 \+ factor\(d\) \| g\)"):
        build(ModelSpec("y ~ x + ar1(0 + d | g)"), DATA)
    assert build(ModelSpec("y ~ x + ar1(0 + factor(d) | g)"), DATA).design.blocks[0].k == 4


def test_dates_written_as_text_are_said() -> None:
    dates = DATA.assign(day=[f"2020-01-{day:02d}" for day in range(1, 13)] * 3)
    with pytest.warns(DesignWarning, match="dates as text, such as '2020-01-01': a factor of 12 levels"):
        build(ModelSpec("y ~ day + (1 | g)"), dates)


def test_a_call_that_fails_says_which() -> None:
    with pytest.raises(FormulaError, match=r"poly\(f, 2\) can't be computed: text"):
        coefs("poly(f, 2)")

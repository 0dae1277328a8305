"""Laws of formulas: a column may have any name and any type of number; no spelling changes the columns."""

import builtins
import keyword

import numpy as np
import pandas as pd
import pytest
from formulaic.transforms import TRANSFORMS
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from bayeslmm.errors import BayesLMMError, FormulaError
from bayeslmm.spec.build import build
from bayeslmm.spec.expression.functions import CONSTANTS, known_functions
from bayeslmm.spec.expression.lexer import Unreadable, quoted
from bayeslmm.spec.expression.parser import parse
from bayeslmm.spec.factors import Grouping, factor_of
from bayeslmm.spec.in_memory import Built
from bayeslmm.spec.model_spec import ModelSpec

LAW = settings(
    max_examples=300, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)

WORDS = sorted(
    {*vars(builtins), *keyword.kwlist, *keyword.softkwlist, *TRANSFORMS, *known_functions(), *CONSTANTS}
    | {
        "self",
        "data",
        "Intercept",
        "v_0",
        "v_1",
        "factor",
        "offset",
        "us",
        "diag",
        "c",
        "sum",
        "e",
        "1e5",
        "2nd",
    }
)
PLAIN = [word for word in WORDS if quoted(word) == word and word not in ("offset", "us", "diag")]
ODD = [
    "1",
    "0",
    "2",
    "1.5",
    "a b",
    "a:b",
    "a'b",
    'a"b',
    "a`b",
    "a\\b",
    "a\\",
    "log(z)",
    "z + 1",
    "é",
    "变量",
    "a|b",
    "~",
    "(",
]
odd_names = st.sampled_from([*WORDS, *ODD]) | st.text(min_size=1, max_size=8)

Z = np.array([0.3, 1.7, 2.2, 0.9, 4.1, 3.3, 2.8, 5.2])
FORMULAS = [
    "y ~ {x}",
    "y ~ {x} + z",
    "y ~ z * {x}",
    "log({x}) ~ z",
    "{x} ~ z",
    "y ~ I({x} * 2) + log({x})",
    "y ~ z + offset({x})",
    "y ~ ({x} > 1.8)",
    "y ~ poly({x}, 2) + np.where({x} > 2, 1, z)",
    "y ~ factor({x} > 1)",
    "y ~ z + (0 + {x} | g)",
    "y ~ z + (1 | {g})",
    "y ~ factor({g}) + z",
]


def table(x: str, g: str) -> pd.DataFrame:
    columns = {"y": Z[::-1] ** 2, "z": np.sqrt(Z) - 1, "g": list("ppqqrrpq")}
    return pd.DataFrame(columns | {x: Z + 0.5, g: list("uvuvuvvu")})


def made(formula: str, x: str, g: str) -> Built:
    return build(
        ModelSpec(formula.format(x=x if x == "xx" else quoted(x), g=g if g == "gg" else quoted(g))),
        table(x, g),
    )


def same(one: Built, other: Built) -> None:
    assert_array_equal(one.design.y, other.design.y)
    assert_array_equal(one.design.X, other.design.X)
    assert_array_equal(one.design.offset, other.design.offset)
    assert [block.levels for block in one.design.blocks] == [block.levels for block in other.design.blocks]
    for a, b in zip(one.design.blocks, other.design.blocks, strict=True):
        assert_array_equal(a.columns, b.columns)
        assert_array_equal(a.codes, b.codes)


@given(odd_names, st.sampled_from(FORMULAS))
@LAW
def test_a_column_may_have_any_name(name: str, formula: str) -> None:
    assume(name not in ("y", "z", "g"))
    data = table(name, "gg") if "{x}" in formula else table("xx", name)
    named, plain = (
        (made(formula, name, "gg") if "{x}" in formula else made(formula, "xx", name)),
        made(formula, "xx", "gg"),
    )
    same(named, plain)
    again, before = named.recipe.replay(data.iloc[::-1]), plain.recipe.replay(table("xx", "gg").iloc[::-1])
    assert_array_equal(again.X, before.X)
    assert_array_equal(again.offset, before.offset)


@pytest.mark.parametrize("word", PLAIN)
def test_backticks_aren_t_needed_inside_a_call(word: str) -> None:
    bare = build(ModelSpec(f"y ~ sqrt({word}) + factor({word} > 2) + I({word} ** 2)"), table(word, "gg"))
    same(bare, made("y ~ sqrt({x}) + factor({x} > 2) + I({x} ** 2)", word, "gg"))
    assert bare.design.p == 4
    for formula in ("{x} ~ z", "y ~ {x} + z", "y ~ {x}:z + (0 + {x} | g)"):
        same(build(ModelSpec(formula.format(x=word)), table(word, "gg")), made(formula, "xx", "gg"))


@pytest.mark.parametrize("word", sorted(name for name in known_functions() if "." not in name))
def test_a_function_keeps_its_place_beside_a_column_of_its_name(word: str) -> None:
    data = table(word, "gg").assign(f=list("aabbccab"))
    assert build(ModelSpec(f"y ~ log({word})"), data).design.coefs[1] == f"log({word})"


numbers = st.lists(st.integers(-(2**40), 2**40), min_size=8, max_size=8, unique=True)
INTEGERS = ("int64", "Int64", "float64", "Float64", "object", "uint64")


@pytest.mark.filterwarnings("ignore::bayeslmm.errors.DesignWarning")  # few distinct values
@given(
    numbers,
    st.sampled_from(INTEGERS),
    st.sampled_from(["a:b", "I(a * b)", "I(a ** 3)", "I(a ** -1)", "poly(a, 3, raw=TRUE)"]),
)
@LAW
def test_numbers_are_float64_whatever_their_type(values: list[int], kind: str, term: str) -> None:
    values = [abs(value) + 1 for value in values] if kind == "uint64" else [value or 7 for value in values]
    assume(len(set(values)) == 8)
    data = pd.DataFrame(
        {"y": Z, "a": np.array(values, dtype=float), "b": np.array(values[::-1], dtype=float)}
    )
    typed = data.assign(a=pd.Series(values, dtype=kind), b=pd.Series(values[::-1], dtype=kind))
    one, other = (build(ModelSpec(f"y ~ 0 + {term}"), each).design for each in (typed, data))
    assert (one.coefs, one.dropped) == (other.coefs, other.dropped)
    assert_array_equal(one.X, other.X)


truths = st.lists(st.booleans(), min_size=8, max_size=8).filter(lambda values: len(set(values)) == 2)
BOOLEANS = ("bool", "boolean", "object", "category")


@pytest.mark.filterwarnings("ignore::bayeslmm.errors.DesignWarning")  # few distinct values
@given(
    truths,
    st.sampled_from(BOOLEANS),
    st.sampled_from(["b", "0 + b", "b * z", "b:z", "z + (0 + b | g)", "I(b)", "factor(b)"]),
)
@LAW
def test_truth_values_are_factors(values: list[bool], kind: str, terms: str) -> None:
    data = table("xx", "gg")
    typed, text = (build(ModelSpec(f"y ~ {terms}"), data.assign(b=column)) for column in (
        pd.Series(values, dtype=kind), [str(value) for value in values]))  # fmt: skip
    same(typed, text)
    assert typed.design.coefs == text.design.coefs
    mask = np.array(values)
    assert_array_equal(build(ModelSpec("y ~ I(b == TRUE)"), data.assign(b=values)).design.X[:, 1], mask)


levels = st.lists(st.text("a:\\|", min_size=1, max_size=4), min_size=1, max_size=5, unique=True)


@given(levels, levels)
@LAW
def test_labels_of_an_interaction_differ(a: list[str], b: list[str]) -> None:
    pairs = pd.DataFrame([(one, two) for one in a for two in b], columns=["a", "b"])
    grouping, codes = Grouping.learn(("a", "b"), [factor_of(pairs["a"]), factor_of(pairs["b"])])
    assert len(set(grouping.levels)) == len(pairs) == len(set(codes.tolist()))
    assert_array_equal(grouping.codes(pairs), codes)


@given(st.lists(st.integers(-5, 5) | st.integers(2**53, 2**53 + 6), min_size=2, max_size=12), st.randoms())
@LAW
def test_a_number_and_its_text_are_one_level(values: list[int], random: object) -> None:
    mixed = [str(value) if random.random() < 0.5 else value for value in values]  # type: ignore[attr-defined]
    one, other = factor_of(pd.Series(mixed, dtype=object)), factor_of(pd.Series(values, dtype=object))
    assert set(one.levels) == set(other.levels)
    assert [one.levels[code] for code in one.codes] == [str(value) for value in values]


atoms = st.sampled_from(["x", "z", "2", "`a b`", "log(x)", "'t'", "TRUE"])
SIGNS = ("+", "-", "*", "/", "^", "**", "%%", "%/%", "%in%", "==", "!=", "<", "<=", ">", ">=", "&", "|")
operators = st.sampled_from([*SIGNS, "and", "or"])


def _wrapped(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.builds("({} {} {})".format, inner, operators, inner) | st.builds(
        "{}({})".format, st.sampled_from(["-", "!", "f", "+", "not"]), inner
    )


@given(st.recursive(atoms, _wrapped, max_leaves=8))
@LAW
def test_the_canonical_spelling_reads_the_same(code: str) -> None:
    node = parse(code)
    assert parse(node.text) == node
    assert node.text == parse(node.text).text


@given(st.text("xz12.+-*/^%()[]{}|~:`'\"<>=&! ,lambdaif_", max_size=25))
@settings(LAW, max_examples=600)
def test_any_text_is_read_or_refused(code: str) -> None:
    try:
        parse(code)
    except Unreadable as error:
        assert 0 <= error.at <= len(code)
    data = pd.DataFrame({"y": Z, "x": Z**2, "z": np.sqrt(Z)})
    for formula in (f"y ~ {code}", f"{code} ~ x", f"y ~ x + ({code} | z)"):
        try:
            build(ModelSpec(formula), data)
        except BayesLMMError as error:
            assert str(error)


def test_a_hint_never_comes_from_python() -> None:
    for word in vars(builtins):
        if word not in known_functions():
            with pytest.raises(FormulaError) as caught:
                ModelSpec(f"y ~ {word}x(z)")
            assert f"did you mean {word!r}" not in str(caught.value)

import pytest

from bayeslmm.errors import FormulaError
from bayeslmm.spec.covariance import structures_by_keyword
from bayeslmm.spec.formula import read_formula
from bayeslmm.spec.parsed import Formula


def bars(formula: str) -> list[tuple[str, tuple[str, ...], str]]:
    return [(bar.left, bar.columns, bar.keyword) for bar in read_formula(formula).bars]


@pytest.mark.parametrize(
    ("term", "expected"),
    [
        ("(x | g)", [("x", ("g",), "us")]),
        ("(x|g)", [("x", ("g",), "us")]),
        ("(x || g)", [("x", ("g",), "diag")]),
        ("diag(x | g)", [("x", ("g",), "diag")]),
        ("us(x | g)", [("x", ("g",), "us")]),
        ("(0 + x | g)", [("0 + x", ("g",), "us")]),
        ("(-1 + x | g)", [("- 1 + x", ("g",), "us")]),
        ("(1 | a:b)", [("1", ("a", "b"), "us")]),
        ("(1 | a/b)", [("1", ("a",), "us"), ("1", ("a", "b"), "us")]),
        ("(x | a/b/c)", [("x", ("a",), "us"), ("x", ("a", "b"), "us"), ("x", ("a", "b", "c"), "us")]),
        ("(1 | a/(b:c))", [("1", ("a",), "us"), ("1", ("a", "b", "c"), "us")]),
        ("(1 | a/b:c)", [("1", ("a",), "us"), ("1", ("a", "b", "c"), "us")]),
        ("(x || a/b)", [("x", ("a",), "diag"), ("x", ("a", "b"), "diag")]),
        ("(1 | `my group`)", [("1", ("my group",), "us")]),
        ("(1 | factor(g))", [("1", ("g",), "us")]),
        ("((1 | g))", [("1", ("g",), "us")]),
        ("(1 | a.b)", [("1", ("a.b",), "us")]),
    ],
)
def test_bars(term: str, expected: list[tuple[str, tuple[str, ...], str]]) -> None:
    assert bars(f"y ~ z + {term}") == expected


def test_every_structure_has_a_keyword_in_formulas() -> None:
    for keyword in structures_by_keyword():
        assert bars(f"y ~ {keyword}(0 + f | g)") == [("0 + f", ("g",), keyword)]


@pytest.mark.parametrize(
    ("formula", "fixed"),
    [
        ("y ~ x", "1 + x"),
        ("y ~ 1", "1 + 1"),
        ("y ~ (1 | g)", "1"),
        ("y ~ 0 + x + (1 | g)", "1 + 0 + x"),
        ("y ~ (1 | g) - 1 + x", "1 - 1 + x"),
        ("y ~ (1 | g) + a * b - a:b + (0 + x | h)", "1 + a * b - a : b"),
        ("y ~ (a + b)^2", "1 + (a + b) ^ 2"),
        ("y ~ x + (z + (1 | g))", "1 + x + z"),
        ("y ~ bs(x, df = 4)", "1 + bs(x, df=4)"),
        ("y ~ I(a | b)", "1 + I(a | b)"),
    ],
)
def test_fixed_part(formula: str, fixed: str) -> None:
    assert read_formula(formula).fixed.code == fixed


@pytest.mark.parametrize(
    ("formula", "code", "variables"),
    [
        ("y ~ 1", "y", ("y",)),
        ("log(y) ~ 1", "log(y)", ("y",)),
        ("np.log(y) ~ 1", "np.log(y)", ("y",)),
        ("y/10 ~ 1", "I(y / 10)", ("y",)),
        ("I(y^2) ~ 1", "I(y ** 2)", ("y",)),
        ("Informed.liking ~ 1", "Informed.liking", ("Informed.liking",)),
        ("log(Informed.liking) ~ 1", "log(Informed.liking)", ("Informed.liking",)),
        ("`a b` ~ 1", "`a b`", ("a b",)),
        ("log(`a b`) ~ 1", "log(`a b`)", ("a b",)),
    ],
)
def test_response(formula: str, code: str, variables: tuple[str, ...]) -> None:
    outcome = read_formula(formula).outcome
    assert (outcome.code, outcome.variables) == (code, variables)


def test_rs_spellings() -> None:
    formula = read_formula("y ~ I(x^2) + factor(z) + as.factor(w) + poly(x, 2, raw=TRUE) + C(f, contr.sum)")
    assert formula.fixed.code == "1 + I(x ** 2) + C(z) + C(w) + poly(x, 2, raw=TRUE) + C(f, contr.sum)"
    assert formula.fixed.variables == ("x", "z", "w", "f")


def test_quoted_text_is_left_alone() -> None:
    assert read_formula("y ~ I(f == 'a^b.c')").fixed.code == "1 + I(f == 'a^b.c')"


def test_offsets() -> None:
    formula = read_formula("y ~ offset(5 * x) + z + offset(log(w))")
    assert [offset.code for offset in formula.offsets] == ["I(5 * x)", "I(log(w))"]
    assert [offset.variables for offset in formula.offsets] == [("x",), ("w",)]
    assert formula.fixed.variables == ("z",)


def test_bar_variables_and_text() -> None:
    (bar,) = read_formula("y ~ (poly(x, 2) * f || a:b)").bars
    assert bar.variables == ("x", "f")
    assert (bar.group, bar.text) == ("a:b", "diag(poly(x, 2) * f | a:b)")


@pytest.mark.parametrize(
    ("formula", "message", "mark"),
    [
        ("y ~ x + (1 | g", "never closed", 8),
        ("y ~ x + 1 | g)", "closes nothing", 13),
        ("y ~ (x + z] + 1", "closes nothing", 10),
        ("y ~ log(x", "never closed", 7),
        ("y ~ x + 'abc", "quote", 8),
        ("y ~ x + 1 | g", "inside parentheses", 10),
        ("y ~ x + (1 | )", "nothing right", 11),
        ("y ~ ( | g)", "nothing left", 6),
        ("y ~ (1 | g | h)", "nested", 11),
        ("y ~ ((1 | g) | h)", "nested", 8),
        ("y ~ (1 | (g | h))", "nested", 12),
        ("y ~ x * (1 | g)", "stands alone", 11),
        ("y ~ (1 | g):x", "stands alone", 7),
        ("y ~ x - (1 | g)", "can't be subtracted", 8),
        ("y ~ x - (z + (1 | g))", "can't be subtracted", 8),
        ("y ~", "no term after", 2),
        ("~ x", "no response before", 0),
        ("y", "one '~'", 1),
        ("y ~ x ~ z", "one '~'", 6),
        ("y ~ x +", "missing after", 6),
        ("y ~ (x + | g)", "missing after", 7),
        ("y ~ .", "name the variables", 4),
        ("y ~ x z", "operator is missing", 6),
        ("y ~ blood pressure", "in backticks", 10),
        ("y ~ x (1 | g)", "operator is missing", 6),
        ("y ~ log (x)", "space too many", 8),
        ("cbind(y, z) ~ x", "Bambi and brms", 0),
        ("3 ~ x", "names no column", 0),
        ("y ~ (1 | a + b)", "grouping factor is a column", 11),
        ("y ~ (1 | log(g))", "grouping factor is a column", 9),
        ("y ~ (1 | a:)", "grouping factor is a column", 10),
        ("y ~ (offset(x) | g)", "fixed part", 5),
        ("y ~ x - offset(z)", "added as a term", 8),
        ("y ~ dig(x | g)", "did you mean 'diag'", 4),
        ("y ~ us(x || g)", "use one", 9),
        ("y ~ lgo(x)", "'lgo' isn't known", 4),
        ("y ~ I(x +)", "can't be read", 4),
    ],
)
def test_errors_mark_the_place(formula: str, message: str, mark: int) -> None:
    with pytest.raises(FormulaError) as caught:
        read_formula(formula)
    said, shown, caret = str(caught.value).rsplit("\n", 2)
    assert message in said
    assert shown == f"  {formula}"
    assert caret == " " * (mark + 2) + "^"


def test_not_a_string() -> None:
    with pytest.raises(FormulaError, match="not a list"):
        read_formula(["y ~ x"])  # type: ignore[arg-type]


def test_line_breaks_are_spaces() -> None:
    formula = read_formula("y ~ x +\n  (1 | g)")
    assert isinstance(formula, Formula)
    with pytest.raises(FormulaError, match=r"y ~ x \+   \(1 \| g\n"):
        read_formula("y ~ x +\n  (1 | g")


def test_a_text_is_read_once_for_the_same_functions() -> None:
    text = "y ~ twice(x) + (1 | g)"
    assert read_formula(text, ["twice"]) is read_formula(text, {"twice": abs})
    with pytest.raises(FormulaError, match="'twice' isn't known"):
        read_formula(text)

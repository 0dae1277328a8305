"""Formulas changed by formulas."""

import pytest

from bayeslmm.errors import FormulaError
from bayeslmm.spec.formula import read_formula
from bayeslmm.spec.update import updated_formula


@pytest.mark.parametrize(
    ("old", "new", "same_as"),
    [
        ("y ~ x + (x | g)", ". ~ . - (x | g) + (1 | g)", "y ~ x + (1 | g)"),
        ("y ~ x + (x | g)", ". ~ . - (x|g) + (1|g)", "y ~ x + (1 | g)"),
        ("y ~ x * z + I(x^2) + offset(w)", "log(y) ~ . + q", "log(y) ~ x * z + I(x^2) + offset(w) + q"),
        ("y ~ x + z + (1 | a/b)", "~ . - x", "y ~ z + (1 | a/b)"),
        ("y ~ x", "z ~ w + (1 | g)", "z ~ w + (1 | g)"),
        ("y ~ x", ". ~ . - x", "y ~ 1"),
        ("y ~ x", ". ~ . - 1", "y ~ x - 1"),
    ],
)
def test_dots_stand_for_what_was_there(old: str, new: str, same_as: str) -> None:
    changed, wanted = read_formula(updated_formula(old, new)), read_formula(same_as)
    assert changed.fixed.code == wanted.fixed.code
    assert changed.bars == wanted.bars
    assert changed.offsets == wanted.offsets
    assert changed.outcome == wanted.outcome


@pytest.mark.parametrize(
    ("new", "message"),
    [
        (". ~ . - (1 | g)", "no term"),
        (". ~", "terms after it"),
        ("y", "one '~'"),
        (". ~ . +", "missing at the end"),
    ],
)
def test_what_cannot_be_read(new: str, message: str) -> None:
    with pytest.raises(FormulaError, match=message):
        updated_formula("y ~ x", new)

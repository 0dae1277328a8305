"""The other code reads what formulas say, or says that it doesn't; it never cries wolf."""

import numpy as np
import pandas as pd
import pytest

import bayeslmm as bl
from bayeslmm.parity.certificate.design_witness import design_line
from bayeslmm.parity.certificate.rebuilt import Bar, Unread, read


def frame():
    rng = np.random.default_rng(1)
    data = {
        "y": rng.uniform(1, 5, 72),
        "x": rng.normal(size=72),
        "z": np.tile([1, 2, 3], 24),
        "f": np.tile(list("abc"), 24),
        "flag": np.tile([True, False], 36),
        "a": np.repeat(["p", "q", "r", "s"], 18),
        "b": np.tile(np.repeat([1, 2, 3], 6), 4),
        "g": np.repeat(np.arange(12.0), 6),
        "w": rng.uniform(0.5, 2, 72),
        "o": rng.normal(size=72),
        "odd name": rng.normal(size=72),
    }
    out = pd.DataFrame(data)
    out["ordered"] = pd.Categorical(out["f"], ["c", "a", "b"], ordered=True)
    out["unused"] = pd.Categorical(out["f"], ["c", "b", "a", "never"])
    return out


FORMULAS = [
    "y ~ x + (1 | g)",
    "y ~ 1 + (x | g)",
    "y ~ x + (x || g)",
    "y ~ 0 + f + (0 + f | a)",
    "y ~ f * x + (1 | a/b)",
    "y ~ x:f + z + (1 | a:b) + (1 | g)",
    "log(y) ~ np.exp(x) + I(x**2) + (1 | g)",
    "y ~ poly(x, 2) + scale(z) + (1 | g)",
    "y ~ center(x) + C(z) + (1 | g)",
    "y ~ ordered + (1 | g)",
    "y ~ unused + (1 | g)",
    "y ~ flag + (1 | g)",
    "y ~ x - 1 + (1 | g)",
    "y ~ (x + z)**2 + (1 | g)",
    "y ~ x + offset(o) + (1 | g) + cs(0 + f | a)",
    "y ~ `odd name` + (`odd name` | g)",
    "y ~ double(x) + (1 | g)",
    "y ~ x",
]


@pytest.mark.parametrize("formula", FORMULAS)
def test_formulas_are_rebuilt(formula):
    model = bl.LinearMixedModel(formula, frame(), functions={"double": lambda x: 2 * x})
    line = design_line(model.design, model.recipe.origin)
    assert line.ok, line.sentence
    assert "not rebuilt" not in line.sentence


OPTIONS = {
    "weights": {"weights": "w"},
    "values of weights": {"weights": frame()["w"].to_numpy()},
    "offset": {"offset": "o"},
    "sum": {"contrasts": {"f": "sum"}},
    "helmert": {"contrasts": {"f": "helmert"}},
    "poly": {"contrasts": {"f": "poly"}},
    "K": {"covariance": {"a": pd.DataFrame(np.eye(4) + 0.5, index=list("srqp"), columns=list("srqp"))}},
}


@pytest.mark.parametrize("name", OPTIONS)
def test_options_are_rebuilt(name):
    model = bl.LinearMixedModel("y ~ f + x + (1 | a)", frame(), **OPTIONS[name])
    line = design_line(model.design, model.recipe.origin)
    assert line.ok, line.sentence
    assert "not rebuilt" not in line.sentence


def test_missing_values_and_the_order_of_rows():
    data = frame().sample(frac=1, random_state=1)
    data.loc[data.index[[3, 9]], "x"] = np.nan
    data.loc[data.index[20], "g"] = np.nan
    model = bl.LinearMixedModel("y ~ x + (x | g)", data, offset=np.where(np.arange(72) == 30, np.nan, 1.0))
    assert model.design.n_missing == 4
    assert design_line(model.design, model.recipe.origin).ok


@pytest.mark.parametrize("formula", ["y ~ ns(x, 3) + (1 | g)", "y ~ x + (dummy(f, 'a') | g)"])
def test_what_it_does_not_know_is_said(formula):
    model = bl.LinearMixedModel(formula, frame())
    line = design_line(model.design, model.recipe.origin)
    assert line.ok is not False
    assert "means something else to formulaic" in line.sentence


def test_the_users_frame_may_change_later():
    data = frame()
    model = bl.LinearMixedModel("y ~ x + (1 | g)", data)
    data["x"] = 0.0
    data.loc[0, "y"] = 99.0
    assert design_line(model.design, model.recipe.origin).ok


@pytest.mark.filterwarnings("ignore::bayeslmm.errors.SingularFitWarning")
def test_a_refit_to_another_response_has_no_origin():
    model = bl.LinearMixedModel("y ~ x + (1 | g)", frame())
    fit = model.fit()
    assert fit.recipe.origin is not None
    line = design_line(model.design, fit.refit(model.design.y[::-1]).recipe.origin)
    assert line.ok is None
    assert line.word == "not computed"


def test_a_formula_is_read_by_its_parentheses():
    text = read("log(y) ~ x + I(x | z) + offset(log(e)) + cs(0 + f | a/b) + (1 || `a | b`)")
    assert text.response == "log(y)"
    assert text.offsets == ("log(e)",)
    assert text.bars == (
        Bar("0 + f", ("a",), "cs"),
        Bar("0 + f", ("a", "b"), "cs"),
        Bar("1", ("a | b",), "diag"),
    )


def test_a_group_that_is_no_name_is_not_read():
    with pytest.raises(Unread, match="isn't made of names"):
        read("y ~ x + (1 | factor(g))")

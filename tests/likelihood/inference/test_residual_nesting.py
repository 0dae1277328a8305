"""Which residual is inside which, of structures that mathematics orders."""

from functools import cache

import numpy as np
import pandas as pd
import pytest

import bayeslmm as bl
from bayeslmm.errors import OptionError
from bayeslmm.likelihood.inference.residual_nesting import residual_spans
from bayeslmm.spec.design import Design

C, V = bl.correlation, bl.variance
RESIDUALS = {
    "none": {},
    "AR1": {"correlation": C.AR1("t | g")},
    "AR1 by arm": {"correlation": C.AR1("t | g", by="arm")},
    "ARMA": {"correlation": C.ARMA("t | g", p=1, q=1)},
    "alike": {"correlation": C.CompoundSymmetry("1 | g")},
    "any": {"correlation": C.Unstructured("t | g")},
    "levels": {"variance": V.Ident("arm")},
    "power": {"variance": V.Power("x")},
    "constant and power": {"variance": V.ConstantPower("x")},
}
INSIDE = [
    ("none", "AR1"),
    ("none", "power"),
    ("AR1", "AR1 by arm"),
    ("AR1", "ARMA"),
    ("AR1", "any"),
    ("alike", "any"),
    ("power", "constant and power"),
]
OUTSIDE = [
    ("AR1", "none"),
    ("AR1", "alike"),
    ("ARMA", "AR1"),
    ("levels", "any"),
    ("levels", "constant and power"),
    ("any", "ARMA"),
    ("AR1 by arm", "any"),
]


@cache
def design(name: str, formula: str = "y ~ x") -> Design:
    rng, n = np.random.default_rng(0), 20
    g, t = np.repeat(np.arange(n), 4), np.tile(np.arange(4), n)
    data = pd.DataFrame({"g": g.astype(str), "t": t, "x": rng.uniform(1, 3, 4 * n)})
    data["arm"] = np.where(g % 2, "A", "B")
    data["y"] = data["x"] + rng.normal(size=4 * n) + rng.normal(size=n)[g]
    return bl.LinearMixedModel(formula, data.drop(index=[3, 17, 50]), **RESIDUALS[name]).design


@pytest.mark.parametrize(("small", "big"), INSIDE)
def test_what_is_inside(small: str, big: str) -> None:
    assert residual_spans(design(big), design(small))


@pytest.mark.parametrize(("small", "big"), OUTSIDE)
def test_what_is_not(small: str, big: str) -> None:
    assert not residual_spans(design(big), design(small))


def test_effects_make_up_for_a_correlation() -> None:
    assert residual_spans(design("none", "y ~ x + (1 | g)"), design("alike"))
    assert not residual_spans(design("none", "y ~ x + (1 | g)"), design("AR1"))


def test_a_likelihood_ratio_of_others_is_refused() -> None:
    rng = np.random.default_rng(1)
    data = pd.DataFrame({"g": np.repeat(list("abcdefghij"), 4), "x": rng.uniform(1, 2, 40)})
    data["t"], data["s"], data["y"] = np.tile(range(4), 10), np.tile(list("uvwu"), 10), rng.normal(size=40)
    one = bl.LinearMixedModel("y ~ x", data, correlation=C.AR1("t | g")).fit()
    other = bl.LinearMixedModel("y ~ x", data, variance=V.Ident("s")).fit()
    with pytest.raises(OptionError, match=r"the residuals of 'y ~ x' with AR1\(t \| g\) aren't inside"):
        bl.anova(one, other)

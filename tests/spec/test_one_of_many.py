"""Covariances that the rows leave open are warned of by name, whatever unit and origin a covariate has."""

import warnings

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bayeslmm.errors import DesignWarning
from bayeslmm.spec.build import build
from bayeslmm.spec.model_spec import ModelSpec
from bayeslmm.spec.one_of_many import open_labels

RNG = np.random.default_rng(5)
G = np.repeat(np.arange(8), 6)
ROWS = pd.DataFrame(
    {
        "y": RNG.normal(size=48),
        "g": G.astype(str),
        "w": RNG.normal(size=48),
        "two": (G % 2).astype(float),
        "three": (G % 3).astype(float),
        "t": np.tile(list("pqr"), 16),
        "apart": np.where(np.arange(48) % 6 < 3, np.where(G < 4, "p", "q"), "r"),
    }
)
BOTH = ["sd[g: Intercept]", "sd[g: x]"]
OPEN = {
    ("(x | g)", "one"): ["sd[g: Intercept]", "cor[g: Intercept, x]", "sd[g: x]"],
    ("(x || g)", "one"): BOTH,
    ("(1 | g) + (0 + x | g)", "one"): BOTH,
    ("(1 + x + w || g)", "one"): BOTH,
    ("(x | g)", "two"): ["cor[g: Intercept, x]", "sd[g: x]"],
    ("(0 + apart | g)", "w"): ["cor[g: apart[p], apart[q]]"],
}
TOLD = [
    ("(x | g)", "w"),
    ("(x || g)", "w"),
    ("(x | g)", "three"),
    ("(x || g)", "two"),
    ("(0 + x | g)", "one"),
    ("cs(1 + x | g)", "w"),
    ("(0 + t | g)", "w"),
    ("ar1(0 + t | g)", "w"),
    ("(t | g) + (0 + x | g)", "w"),
    ("(0 + apart || g)", "w"),
]
units = pytest.mark.parametrize(("unit", "origin"), [(1.0, 0.0), (1e6, 0.0), (1e-6, 0.0), (1.0, 1e5)])


def rows(covariate, unit, origin):
    return ROWS.assign(x=unit * (ROWS.assign(one=1.0)[covariate] + origin))


@units
@pytest.mark.parametrize("term", OPEN, ids=str)
def test_what_is_open_is_warned_of(term, unit, origin):
    bars, covariate = term
    with pytest.warns(DesignWarning, match="can't tell") as told:
        design = build(ModelSpec(f"y ~ 1 + {bars}"), rows(covariate, unit, origin)).design
    found = open_labels(design, 0)
    assert all(label in str(told[0].message) for label in found)
    if origin == 0:
        assert found == OPEN[term]


@units
@pytest.mark.parametrize("term", TOLD, ids=str)
def test_what_the_rows_tell_is_not(term, unit, origin):
    bars, covariate = term
    build(ModelSpec(f"y ~ 1 + {bars}"), rows(covariate, unit, origin))


@settings(max_examples=25, deadline=None, derandomize=True)
@given(st.integers(0, 10**6), st.integers(3, 12), st.integers(1, 4))
def test_open_is_what_other_values_of_fit_alike(seed, J, n_values):
    """(x | g), x constant within levels: three distinct values tell the three parameters, fewer don't."""
    rng = np.random.default_rng(seed)
    values = rng.choice(np.arange(n_values, dtype=float), J)
    data = pd.DataFrame(
        {"g": np.repeat(np.arange(J), 4), "x": np.repeat(values, 4), "y": rng.normal(size=4 * J)}
    )
    if not values.any():
        return
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        design = build(ModelSpec("y ~ 1 + (x | g)"), data).design
    V = [np.outer([1, x], [1, x])[np.triu_indices(2)] for x in values]
    told_apart = np.linalg.matrix_rank(np.array(V)) == 3
    assert (open_labels(design, 0) == []) == told_apart == (not told)

"""What the comparison must find: agreement where there is nothing to differ by, a prior that is strong."""

import numpy as np
import pandas as pd
import pytest

import bayeslmm as bl

FORMULA = "y ~ x + (1 | g)"
FLAT = {"sd": bl.Flat(), "sigma": bl.Flat()}


@pytest.fixture(scope="module")
def balanced():
    """400 levels of 10 rows: enough to know every parameter well."""
    rng = np.random.default_rng(7)
    g, x = np.repeat(np.arange(400), 10), np.tile(np.linspace(-1, 1, 10), 400)
    return pd.DataFrame(
        {"g": g, "x": x, "y": 5 + 2 * x + rng.standard_normal(400)[g] + rng.standard_normal(4000)}
    )


def compared(model, draws=1000):
    return bl.compare(model.fit(), model.sample(draws=draws, seed=1, method="importance", progress=False))


@pytest.mark.slow
def test_with_flat_priors_and_many_rows_everything_agrees(balanced):
    par = compared(bl.LinearMixedModel(FORMULA, balanced, priors=FLAT), draws=12_500)
    assert par.verdicts.counts == {"agree": 405}
    assert par.verdicts.checked
    assert par.verdicts.headline == "All 405 estimands agree."


@pytest.mark.parametrize(
    ("label", "prior", "named"),
    [
        ("beta[x]", bl.Normal(0, 0.02), "prior of beta"),
        ("sd[g: Intercept]", bl.HalfNormal(0.02), "priors of sd"),
        ("sigma", bl.HalfNormal(0.01), "prior of sigma"),
    ],
)
def test_a_strong_prior_is_named(balanced, label, prior, named):
    rows = balanced[balanced["g"] < 40]
    par = compared(bl.LinearMixedModel(FORMULA, rows, priors={label: prior}))
    assert par.verdicts[label] == "prior-driven"
    assert f"the {named}" in par.verdicts.sentence(label)
    assert par.verdicts.frame["cause"][label] == named


def test_what_a_posterior_lacks_is_named(balanced):
    model = bl.LinearMixedModel(FORMULA, balanced[balanced["g"] < 20])
    data = model.sample(draws=50, seed=1, method="importance", progress=False).data
    par = bl.compare(model.fit(), without(data, "sigma"))
    assert par.verdicts["sigma"] == "unresolved"
    assert "the posterior has no sigma" in par.verdicts.sentence("sigma")


def without(data, name):
    """The tree without one variable of its posterior."""
    found = data.copy()
    found["posterior"] = found["posterior"].to_dataset().drop_vars(name)
    return found

"""Laws of units and origins for posteriors: with priors in the new units, all numbers follow by algebra.

BAYESLMM_LAW_EXAMPLES sets how many models a law is tried on.
"""

import os
from typing import NamedTuple

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, assume, given, reject, settings
from hypothesis import strategies as st

import bayeslmm as bl
from bayeslmm.errors import SamplingWarning
from bayeslmm.posterior.methods.quadrature import MOST
from bayeslmm.posterior.target import Target
from bayeslmm.spec.priors import LKJ, Exponential, Flat, Gamma, HalfStudentT, Laplace, Normal, StudentT

LAW = settings(
    max_examples=int(os.environ.get("BAYESLMM_LAW_EXAMPLES", "3")),
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
FORMULAS = ("y ~ x + (1 | g)", "y ~ x + (x | g)", "y ~ x + (0 + x | g)", "y ~ x + (x || g)")
ORIGINS = ("y ~ x + (1 | g)", "y ~ x + (1 | g) + (1 | h)", "y ~ x + z + (0 + z | g)")
BETA = (Flat(), Normal(0.5, 2.0), StudentT(4.0, 0.0, 2.0), Laplace(0.0, 3.0))
SD = (None, Exponential(1.5), Gamma(2.0, 1.0), HalfStudentT(3.0, 1.0))
FLIPPED = 0.02  # of the draws
methods = pytest.mark.parametrize(
    "method", ["importance", pytest.param("quadrature", marks=pytest.mark.slow)]
)


@st.composite
def tables(draw):
    rng = np.random.default_rng(draw(st.integers(0, 10**6)))
    n = draw(st.integers(30, 60))
    g, h = (rng.permutation(np.arange(n) % m) for m in (8, 5))
    x, z = rng.normal(size=(2, n))
    y = x + rng.normal(size=8)[g] + 0.7 * rng.normal(size=8)[g] * x + rng.normal(size=n)
    return pd.DataFrame({"y": y, "x": x, "z": z, "g": g.astype(str), "h": h.astype(str)})


def units(label, x, y):
    """What a parameter is multiplied by where x and y are."""
    if label.startswith("cor"):
        return 1.0
    return y / x if label.endswith(("[x]", ": x]")) else y


def table(priors, x, y):
    """The priors of the parameters in other units."""
    return {
        label: prior if isinstance(prior, LKJ) else prior.rescaled(units(label, x, y))
        for label, prior in priors.table.items()
    }


class Seen(NamedTuple):
    """A posterior's numbers, and its draws where the same seed makes the same ones."""

    estimates: pd.DataFrame
    draws: pd.DataFrame | None


def summarized(model, method):
    quadrature = method == "quadrature"
    assume(not quadrature or Target(model.design, model.priors).size <= MOST)
    options = {"nodes": 7} if quadrature else {"draws": 500}
    try:
        post = model.sample(method=method, seed=3, progress=False, chains=2, **options)
    except SamplingWarning:  # draws of NUTS would have to be compared within Monte Carlo error
        reject()
    return Seen(post.estimates().frame, None if quadrature else post.draws_frame())


def assert_same(one, other, x=1.0, y=1.0, shifts=()):
    """Draws, or mean, limits and sd, of `other` are those of `one` in its units but for `shifts`.

    Where rounding decides whether a proposal is taken, some draws in a row are others.
    """
    for label in one.estimates.index.difference(shifts):
        unit, close = units(label, x, y), 2e-4 * one.estimates.loc[label, "sd"]
        if one.draws is not None:
            apart = np.abs(other.draws[label] / unit - one.draws[label])
            assert np.mean(apart > close) <= FLIPPED, label
            continue
        for column in ("mean", "median", "lower", "upper", "sd"):
            apart = other.estimates.loc[label, column] / unit - one.estimates.loc[label, column]
            assert abs(apart) < close, (label, column, apart / close)


def moved_by(one, other, label, unit):
    """How far a parameter's mean moved, or most of its draws, in the units of `one`."""
    if one.draws is not None:
        return np.median(other.draws[label] / unit - one.draws[label])
    return other.estimates.loc[label, "mean"] / unit - one.estimates.loc[label, "mean"]


def given_priors(data, formula, beta, sd):
    changes = {"beta[x]": beta} | ({} if sd is None else {"sd": sd})
    return bl.LinearMixedModel(formula, data, priors=changes)


def near(one, other):
    """Two tables of priors but for rounding."""
    assert one.keys() == other.keys()
    for label, prior in one.items():
        assert type(prior) is type(other[label])
        assert vars(prior) == pytest.approx(vars(other[label]), rel=1e-9)


@methods
@LAW
@given(tables(), st.sampled_from(FORMULAS), st.sampled_from(BETA), st.sampled_from(SD), st.floats(-6, 6))
def test_unit_of_a_covariate(method, data, formula, beta, sd, power):
    unit = 10.0**power
    plain = given_priors(data, formula, beta, sd)
    moved = bl.LinearMixedModel(formula, data.assign(x=unit * data["x"]))
    near(table(bl.LinearMixedModel(formula, data).priors, unit, 1.0), moved.priors.table)
    moved = moved.with_priors(table(plain.priors, unit, 1.0))
    assert_same(summarized(plain, method), summarized(moved, method), x=unit)


@methods
@LAW
@given(tables(), st.sampled_from(ORIGINS), st.sampled_from(SD), st.floats(0, 5))
def test_origin_of_a_covariate(method, data, formula, sd, power):
    plain = given_priors(data, formula, Flat(), sd)
    moved = given_priors(data.assign(x=10.0**power + data["x"]), formula, Flat(), sd)
    assert_same(summarized(plain, method), summarized(moved, method), shifts=["beta[Intercept]"])


@methods
@LAW
@given(
    tables(),
    st.sampled_from(FORMULAS),
    st.sampled_from(BETA),
    st.sampled_from(SD),
    st.floats(-6, 6),
    st.floats(-1e6, 1e6),
)
def test_unit_and_origin_of_the_response(method, data, formula, beta, sd, power, origin):
    unit = 10.0**power
    plain = given_priors(data, formula, beta, sd)
    moved = bl.LinearMixedModel(formula, data.assign(y=unit * (origin + data["y"])))
    near(table(bl.LinearMixedModel(formula, data).priors, 1.0, unit), moved.priors.table)
    moved = moved.with_priors(table(plain.priors, 1.0, unit))
    one, other = summarized(plain, method), summarized(moved, method)
    assert_same(one, other, y=unit, shifts=["beta[Intercept]"])
    shift = moved_by(one, other, "beta[Intercept]", unit) - origin
    assert abs(shift) < 2e-4 * one.estimates.loc["beta[Intercept]", "sd"] + 1e-9 * abs(origin)

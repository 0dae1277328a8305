"""Whatever the model and its priors: steps add up, what is missing says why, and units are forgotten."""

import warnings

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import bayeslmm as bl
from bayeslmm.errors import BayesLMMWarning
from bayeslmm.parity.ladder.ladder import Ladder
from tests.parity.ladder.studies import study_from

RANDOM = ("", " + (1 | g)", " + (x || g)", " + (x | g)", " + cs(x | g)", " + (1 | g) + (1 | h)")
OF_BETA = (
    lambda u: bl.Normal(0, 2 * u),
    lambda u: bl.StudentT(4, 0, 2 * u),
    lambda u: bl.Uniform(-3 * u, 3 * u),
    lambda u: bl.TruncatedNormal(0, u, lower=0),
)
OF_SD = (
    lambda u: bl.HalfNormal(u),
    lambda u: bl.HalfCauchy(u),
    lambda u: bl.Exponential(u),
    lambda u: bl.Gamma(2, 0.1 / u),
    lambda u: bl.Gamma(0.5, 0.1 / u),
    lambda u: bl.InverseGamma(3, 2 * u),
    lambda u: bl.PenalizedComplexity(3 * u, 0.05),
    lambda u: bl.Uniform(0, 2 * u),
)
GIVEN = {"quotient": lambda v: v["beta[x]"] / v["sigma"], "at 2": {"beta[Intercept]": 1, "beta[x]": 2}}
RELAXED = settings(deadline=None, max_examples=5, suppress_health_check=list(HealthCheck))


@st.composite
def models(draw):
    """A model of 24 rows in units of y, by unit."""
    rng = np.random.default_rng(draw(st.integers(0, 10_000)))
    g, h = np.repeat(list("abcdef"), 4), np.tile(list("rstu"), 6)
    data = pd.DataFrame({"g": g, "h": h, "x": rng.standard_normal(24)})
    own = draw(st.sampled_from([0.0, 0.3, 2.0])) * rng.standard_normal(6)
    y = data["x"] + own[np.repeat(range(6), 4)] + rng.standard_normal(24)
    random = draw(st.sampled_from(RANDOM))
    chosen = {"beta[x]": draw(st.sampled_from(OF_BETA)), "sigma": draw(st.sampled_from(OF_SD[:6]))}
    chosen |= {"sd": draw(st.sampled_from(OF_SD))} if random else {}

    def of(unit):
        priors = {name: prior(unit) for name, prior in chosen.items()}
        return bl.LinearMixedModel(f"y ~ x{random}", data.assign(y=unit * y), priors=priors)

    return of


def ladder_of(model):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.simplefilter("ignore", BayesLMMWarning)
        ladder = Ladder(study_from(model, estimands=GIVEN))
        _ = ladder.frame
    return ladder


@RELAXED
@given(models())
def test_steps_add_up_and_what_is_missing_says_why(of):
    frame = ladder_of(of(1.0)).frame
    for _, rows in frame.groupby("label"):
        known = rows.dropna(subset=["value"])
        values = known["value"].to_numpy()
        assert known["step"].iloc[1:].sum() == pytest.approx(values[-1] - values[0], abs=1e-9)
        assert (known["cause"].iloc[1:] != "").all()
        assert (rows.loc[rows["value"].isna(), "reason"] != "").all()


@pytest.mark.slow
@RELAXED
@given(models())
def test_steps_over_the_scale_have_no_unit(of):
    here, there = (ladder_of(of(unit)) for unit in (1.0, 1000.0))
    found, other = (
        each.frame.query("rung not in ['ML', 'mean']")["step_over_scale"].to_numpy() for each in (here, there)
    )
    np.testing.assert_array_equal(np.isnan(found), np.isnan(other))
    np.testing.assert_allclose(found, other, atol=0.02)

"""Importance sampling against a grid: where it trusts itself, it is right, whatever the prior.

One-way models with three to forty groups, the groups' sd from a thirtieth of the residual's to a hundred
times it, and priors from a thousandth to a hundred times that sd: in conflict with the data they make two
modes, of which one search sees one.
"""

import numpy as np
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from bayeslmm.posterior.methods.importance import importance
from bayeslmm.posterior.options import SampleOptions
from bayeslmm.posterior.target import Target
from bayeslmm.spec.build import build
from bayeslmm.spec.model_spec import ModelSpec
from bayeslmm.spec.priors import Exponential, Gamma, HalfNormal, HalfStudentT, default_priors

FAMILIES = (
    HalfNormal,
    Exponential,
    lambda scale: HalfStudentT(4, scale),
    lambda scale: Gamma(2.5, 2.5 / scale),
)


@st.composite
def one_way(draw):
    """Data with J groups of m rows, and priors."""
    J, m = draw(st.sampled_from([3, 4, 6, 8, 15, 40])), draw(st.sampled_from([2, 3, 8, 15]))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    spread = 10 ** draw(st.floats(-1.5, 2))
    y = (spread * rng.standard_normal((J, 1)) + rng.standard_normal((J, m))).ravel()
    data = pd.DataFrame({"y": y, "g": np.repeat(np.arange(J), m).astype(str)})
    design = build(ModelSpec("y ~ 1 + (1 | g)"), data).design
    changes = {"sd": draw(st.sampled_from(FAMILIES))(spread * 10 ** draw(st.floats(-3, 2)))}
    if draw(st.booleans()):
        changes["sigma"] = HalfNormal(10 ** draw(st.floats(-1.5, 1.5)))
    return Target(design, default_priors(design).replace(changes)), y.reshape(J, m)


def grid_moments(y, priors):
    """Means and sds of log σ and log sd by sums over a grid; two sums of squares hold the likelihood."""
    J, m = y.shape
    within = np.sum((y - y.mean(axis=1, keepdims=True)) ** 2)
    between = m * np.sum((y.mean(axis=1) - y.mean()) ** 2)
    top, low = 0.5 * np.log((within + between) / y.size), 0.5 * np.log(within / y.size)
    a = np.arange(low - 2, top + 2.5, 0.01)[:, None]
    b = np.arange(top - 14, top + 8, 0.03)[None]
    error, both = np.exp(2 * a), np.exp(2 * a) + m * np.exp(2 * b)
    log_density = -0.5 * (J * (m - 1) * 2 * a + within / error + (J - 1) * np.log(both) + between / both)
    log_density = log_density + priors.sd["g"][0].logpdf(np.exp(b)) + priors.sigma.logpdf(np.exp(a)) + a + b
    weight = np.exp(log_density - log_density.max())
    weight /= weight.sum()
    moments = [(float(np.sum(weight * x)), float(np.sum(weight * x**2))) for x in (a, b)]
    return [(mean, np.sqrt(second - mean**2)) for mean, second in moments]


@given(one_way())
@settings(max_examples=400, deadline=None)
def test_no_silent_error(model):
    target, y = model
    seeds = np.random.SeedSequence(1).spawn(2)
    run = importance(target, SampleOptions(draws=1000, chains=2), seeds)
    if not run.trustworthy:
        return
    drawn = [np.log([p.sigma for p in run.parameters]), np.log([p.sd["g"][:, 0] for p in run.parameters])]
    for values, (mean, sd) in zip(drawn, grid_moments(y, target.priors), strict=True):
        assert abs(values.mean() - mean) < 0.25 * sd
        assert abs(np.log(values.std() / sd)) < 0.4


TRUSTED = []


@given(one_way())
@settings(max_examples=60, deadline=None, derandomize=True)
def _collect(model):
    run = importance(model[0], SampleOptions(draws=500, chains=2), np.random.SeedSequence(1).spawn(2))
    TRUSTED.append(run.trustworthy)


def test_trust_is_the_rule():
    """A gate that refuses everything would keep the other law."""
    _collect()
    assert np.mean(TRUSTED) > 0.95

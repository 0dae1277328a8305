"""Quadrature against a trapezoid rule, and against what draws say."""

from functools import cache
from itertools import product

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bayeslmm.datasets import load_dataset
from bayeslmm.errors import OptionError
from bayeslmm.kernel.effects.effect_moments import effect_moments
from bayeslmm.posterior.fixed_effects import prior_of_delta
from bayeslmm.posterior.methods.mixture import NodeMixture
from bayeslmm.posterior.methods.quadrature import quadrature
from bayeslmm.posterior.options import SampleOptions
from bayeslmm.posterior.parameters import relative_factors
from bayeslmm.posterior.sample import sample
from bayeslmm.posterior.summary.checks import RULE_ERROR
from bayeslmm.posterior.target import Target
from bayeslmm.spec.build import build
from bayeslmm.spec.model_spec import ModelSpec
from bayeslmm.spec.priors import (
    Exponential,
    Gamma,
    HalfNormal,
    HalfStudentT,
    Normal,
    StudentT,
    default_priors,
)
from tests.posterior.conftest import ONE_WAY, SLEEPSTUDY

# (step, radius) in posterior sds: the rule converges geometrically, tails on the log scale are long
TRAPEZOID = {1: (0.1, 25.0), 2: (0.2, 25.0), 3: (0.45, 12.0), 4: (0.7, 12.0)}
MODELS = {
    "no groups": ("Reaction ~ Days", "sleepstudy", 1.0),
    "correlated": (SLEEPSTUDY, "sleepstudy", 1.0),
    "unbalanced": (SLEEPSTUDY, "sleepstudy", 0.6),
    "uncorrelated": ("Reaction ~ Days + (Days || Subject)", "sleepstudy", 1.0),
    "one-way": (ONE_WAY, "Dyestuff", 1.0),
    "boundary": (ONE_WAY, "Dyestuff2", 1.0),
    "nested": ("strength ~ 1 + (1 | batch/cask)", "Pastes", 1.0),
    "crossed": ("diameter ~ 1 + (1 | plate) + (1 | sample)", "Penicillin", 1.0),
}


@cache
def quadrature_of(name):
    formula, dataset, share = MODELS[name]
    data = load_dataset(dataset)
    if share < 1:
        data = data.sample(frac=share, random_state=1)
    design = build(ModelSpec(formula), data).design
    return sample(design, default_priors(design), SampleOptions(method="quadrature", seed=2, draws=500))


def trapezoid(result):
    """Means and sds of β, sd, cor and σ from equally spaced points."""
    target = result.mixture.target
    rule = result.mixture.run.rule
    step, radius = TRAPEZOID[target.size]
    line = step * np.arange(-int(radius / step), int(radius / step) + 1)
    unit = np.array(list(product(line, repeat=target.size)))
    unit = unit[np.sum(unit**2, axis=1) < radius**2]
    phi = rule.mean() + unit @ np.linalg.cholesky(rule.covariance()).T
    log_density = target(phi)
    mass = np.exp(log_density - log_density.max())
    kept = mass > 1e-13
    phi, mass = phi[kept], mass[kept] / mass[kept].sum()
    parameters = target.parameters(phi)
    found = effect_moments(
        target.design.kernel,
        relative_factors(target.design, parameters),
        np.ascontiguousarray(parameters.sigma),
        np.zeros((len(phi), target.design.p)),
        prior_of_delta(target.design.kernel, target.priors),
    )
    columns = [found.beta.T, *(s.T for s in parameters.sd.values()), *(z.T for z in parameters.z.values())]
    values = np.vstack([*columns, parameters.sigma]).T
    mean = mass @ values
    second = mass @ (values - mean) ** 2
    second[: target.design.p] += mass @ found.beta_variance
    return mean, np.sqrt(second)


LONG = ("unbalanced", "nested", "correlated")


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[pytest.mark.slow] * (name in LONG)) for name in MODELS]
)
def test_means_and_sds_are_those_of_a_trapezoid_rule(name):
    result = quadrature_of(name)
    frame = result.estimates().frame
    mean, sd = trapezoid(result)
    assert np.max(np.abs(frame["mean"] - mean) / sd) < 3e-3
    np.testing.assert_allclose(frame["sd"], sd, rtol=3e-3)


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[pytest.mark.slow] * (name in LONG)) for name in MODELS]
)
def test_check_passes(name):
    (check,) = quadrature_of(name).checks
    assert check.name == "quadrature"
    assert check.passed


@pytest.mark.parametrize("name", ["correlated", "crossed"])
def test_estimates_are_those_of_importance_draws(name):
    result = quadrature_of(name)
    options = SampleOptions(method="importance", seed=5, draws=2500)
    draws = sample(result.design, result.priors, options).estimates(ranef=True).frame
    exact = result.estimates(ranef=True).frame
    assert list(draws.index) == list(exact.index)
    assert np.max(np.abs(exact["mean"] - draws["mean"]) / draws["mcse"]) < 4
    for column in ("median", "lower", "upper", "sd"):
        assert np.max(np.abs(exact[column] - draws[column]) / draws["sd"]) < 0.15


def test_draws_are_marked_and_have_the_same_moments():
    result = quadrature_of("correlated")
    assert "nodes" in result.data.attrs["draws"]
    drawn = np.asarray(result.data["posterior"]["sigma"])
    row = result.estimates().row("sigma")
    assert drawn.mean() == pytest.approx(row["mean"], abs=0.1 * row["sd"])
    assert len(np.unique(np.asarray(result.data["posterior"]["beta"]))) == 4000


def test_nothing_is_random():
    one, two = (quadrature(Target(d, default_priors(d))) for d in [quadrature_of("one-way").design] * 2)
    np.testing.assert_array_equal(one.rule.weights, two.rule.weights)


def test_highest_density_interval_holds_its_probability():
    result = quadrature_of("boundary")
    label = "sd[Batch]" if "sd[Batch]" in result.estimates().labels else "sd[Batch: Intercept]"
    hdi, eti = (result.estimates(interval=kind).row(label) for kind in ("hdi", "eti"))
    assert hdi["upper"] - hdi["lower"] < eti["upper"] - eti["lower"]
    assert hdi["lower"] < 0.02


def test_a_sampled_beta_takes_a_dimension():
    """A wide Student t prior is next to a wide normal one."""
    found = quadrature_of("one-way").design
    frames = []
    for prior in (StudentT(200, 1500.0, 200.0), Normal(1500.0, 200.0 * np.sqrt(200 / 198))):
        priors = default_priors(found).replace({"beta": prior})
        frames.append(sample(found, priors, SampleOptions(method="quadrature", draws=50)).estimates().frame)
    for column in ("mean", "median", "lower", "upper"):
        difference = (frames[0][column] - frames[1][column]) / frames[1]["sd"]
        assert np.abs(difference).max() < 0.02, column


def test_too_many_parameters_are_refused(design):
    found = design("score ~ Machine + (Machine | Worker)", "Machines")
    with pytest.raises(OptionError, match=r"up to 4 parameters .* has 7"):
        sample(found, default_priors(found), SampleOptions(method="quadrature"))
    with pytest.raises(OptionError, match="add method='quadrature'"):
        SampleOptions(nodes=5)


def test_too_few_nodes_are_noticed():
    result = quadrature_of("nested")
    few = SampleOptions(method="quadrature", nodes=3, draws=10)
    assert not sample(result.design, result.priors, few).checks[0].passed


def far_too_many(nodes):
    result = quadrature_of("correlated")
    return sample(result.design, result.priors, SampleOptions(method="quadrature", nodes=nodes, draws=10))


@pytest.mark.parametrize("nodes", [60, 400])
def test_too_many_nodes_are_named(nodes):
    with pytest.raises(OptionError, match=rf"nodes={nodes} for each of 4 parameters .* up to nodes=22"):
        far_too_many(nodes)


def test_quantiles_of_a_saturated_design_are_those_of_importance_draws():
    """Twelve rows, ten random effects and weights over orders of magnitude: σ has mass down to 0."""
    rng = np.random.default_rng(160)
    g = np.array([4, 0, 0, 4, 1, 1, 2, 2, 3, 3, 0, 4])
    data = {"x": rng.normal(size=12), "g": g.astype(str)}
    data["y"] = (
        1.5 * rng.normal(size=5)[g] + 0.4 * data["x"] * rng.normal(size=5)[g] + 0.05 * rng.normal(size=12)
    )
    design = build(
        ModelSpec("y ~ x + (x || g)", weights=10 ** rng.uniform(-2, 2, 12)), pd.DataFrame(data)
    ).design
    frames = [
        sample(design, default_priors(design), SampleOptions(method=method, draws=draws, seed=1))
        .estimates()
        .frame
        for method, draws in (("quadrature", 100), ("importance", 10_000))
    ]
    rule, exact = frames
    for column in ("mean", "median", "lower", "upper"):
        assert np.max(np.abs(rule[column] - exact[column]) / exact["sd"]) < 0.1, column


@pytest.mark.slow
@given(st.integers(0, 2**32 - 1), st.sampled_from([3, 4, 6, 15]), st.floats(-1.5, 1), st.floats(-1.5, 1))
@settings(max_examples=25, deadline=None, derandomize=True)
def test_the_error_that_is_told_holds(seed, levels, spread, scale):
    """One-way designs, the sd's prior from far below to far above the groups': the usual nodes, and 61."""
    rng = np.random.default_rng(seed)
    y = 10**spread * rng.normal(size=(levels, 1)) + rng.normal(size=(levels, 5))
    data = pd.DataFrame({"y": y.ravel(), "g": np.repeat(np.arange(levels), 5).astype(str)})
    design = build(ModelSpec("y ~ 1 + (1 | g)"), data).design
    priors = default_priors(design).replace({"sd": HalfNormal(10 ** (spread + scale))})
    runs = [
        sample(design, priors, SampleOptions(method="quadrature", nodes=nodes, draws=10, seed=1))
        for nodes in (None, 61)
    ]
    few, many = runs
    if not (few.checks[0].passed and many.checks[0].passed):
        return
    apart = (
        np.abs(few.estimates().frame["mean"] - many.estimates().frame["mean"]) / many.estimates().frame["sd"]
    )
    assert apart.max() < 0.02


# ---- the law: where it says that it is right, it is, whatever the number of nodes


FAMILIES = (
    HalfNormal,
    Exponential,
    lambda scale: HalfStudentT(4, scale),
    lambda scale: Gamma(2.5, 2.5 / scale),
)


@st.composite
def one_way(draw):
    """Data (J, m), one row a group among them, and priors near the data or in some conflict with them."""
    J, m = draw(st.sampled_from([3, 4, 6, 8, 15])), draw(st.sampled_from([1, 2, 3, 8, 15]))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    spread = 10 ** draw(st.floats(-1.5, 1.5))
    y = spread * rng.standard_normal((J, 1)) + rng.standard_normal((J, m))
    data = pd.DataFrame({"y": y.ravel(), "g": np.repeat(np.arange(J), m).astype(str)})
    priors = {"sd": draw(st.sampled_from(FAMILIES))(spread * 10 ** draw(st.floats(-1, 1)))}
    if draw(st.booleans()):
        priors["sigma"] = HalfNormal(10 ** draw(st.floats(-0.7, 0.7)))
    design = build(ModelSpec("y ~ 1 + (1 | g)"), data).design
    return Target(design, default_priors(design).replace(priors)), y


def summed(y, priors):
    """Mean and sd of σ and of the groups' sd by sums over a fine grid."""
    J, m = y.shape
    means = y.mean(axis=1)
    within, between = np.sum((y - means[:, None]) ** 2), m * np.sum((means - y.mean()) ** 2)
    top = 0.5 * np.log((within + between) / y.size)
    a, b = np.arange(top - 12, top + 4, 0.01)[:, None], np.arange(top - 14, top + 7, 0.03)[None]
    error, both = np.exp(2 * a), np.exp(2 * a) + m * np.exp(2 * b)
    log_density = -0.5 * (J * (m - 1) * 2 * a + within / error + (J - 1) * np.log(both) + between / both)
    log_density = log_density + priors.sd["g"][0].logpdf(np.exp(b)) + priors.sigma.logpdf(np.exp(a)) + a + b
    weight = np.exp(log_density - log_density.max())
    weight /= weight.sum()
    means = np.array([np.sum(weight * np.exp(x)) for x in (a, b)])
    return means, np.sqrt(
        [np.sum(weight * (np.exp(x) - mean) ** 2) for x, mean in zip((a, b), means, strict=True)]
    )


def check_no_silent_error(model, nodes):
    target, y = model
    mixture = NodeMixture(target, quadrature(target, nodes))
    if mixture.worst[1] >= RULE_ERROR:
        return False
    labels = list(mixture.components.labels)
    at = [labels.index("sigma"), labels.index("sd[g: Intercept]")]
    mean, sd = summed(y, target.priors)
    for found, right in zip(mixture.moments, (mean, sd), strict=True):
        assert np.max(np.abs(found[at] - right) / sd) < RULE_ERROR
    return True


@pytest.mark.slow
@pytest.mark.parametrize("nodes", [5, 9, 15, None])
@given(one_way())
@settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
def test_no_silent_error_in_many_models(nodes, model):
    check_no_silent_error(model, nodes)


@pytest.mark.parametrize("nodes", [5, 9, None])
@given(one_way())
@settings(max_examples=5, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
def test_no_silent_error(nodes, model):
    check_no_silent_error(model, nodes)


def test_a_ridge_is_followed():
    """One row a group: σ² + sd² is known and neither of them, a quarter of a circle."""
    rng = np.random.default_rng(0)
    y = rng.normal(size=(24, 1))
    data = pd.DataFrame({"y": y.ravel(), "g": np.arange(24).astype(str)})
    design = build(ModelSpec("y ~ 1 + (1 | g)"), data).design
    target = Target(
        design, default_priors(design).replace({"sd": Exponential(0.7), "sigma": HalfNormal(1.0)})
    )
    assert check_no_silent_error((target, y), None)

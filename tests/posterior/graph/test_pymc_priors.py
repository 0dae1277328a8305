"""Every prior family found, in a graph: PyMC's density is the record's."""

import math
from dataclasses import replace

import numpy as np
import pymc as pm
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pymc.model.transform.conditioning import remove_value_transforms
from pytensor.compile.mode import Mode

import bayeslmm as bl
from bayeslmm.posterior.bridge.foreign_priors import as_prior
from bayeslmm.posterior.graph.constants import exact_constants
from bayeslmm.posterior.graph.graphs import build_graph
from bayeslmm.posterior.graph.pymc_priors import scalar_variable, vector_variable
from bayeslmm.spec.priors import default_priors
from tests.priors import PROPER, SCALAR, members

PYTHON = Mode(linker="py", optimizer="fast_compile")
X = np.array([-2.0, -0.3, 1e-3, 0.4, 0.7, 1.5, 6.0, 40.0])
some = settings(max_examples=3, deadline=None, suppress_health_check=[HealthCheck.filter_too_much])
of_every_family = pytest.mark.parametrize("family", SCALAR, ids=lambda family: family.__name__)


def inside(prior, positive):
    low, high = prior.bounds
    return X[(low < X) & (high > X) & ((0 if positive else -math.inf) < X)]


def same_density(ours, graphs):
    """With every digit."""
    np.testing.assert_allclose(graphs, ours, rtol=1e-11, atol=1e-11)


def places(prior):
    """As a fixed effect, as a standard deviation, or both."""
    if prior.support != "positive":
        yield False
    if prior.support not in ("real", "share") and not (prior.proper and prior.bounds[0] < 0):
        yield True


@of_every_family
@some
@given(data=st.data())
def test_the_graphs_density_is_the_records(family, data):
    prior = data.draw(members(family))
    for positive in places(prior):
        with pm.Model() as model:
            scalar_variable("x", prior, positive)
        with exact_constants():
            logp = remove_value_transforms(model).compile_logp(mode=PYTHON)
        x = inside(prior, positive)
        same_density(prior.logpdf(x), [float(logp({"x": each})) for each in x])
        assert np.isfinite(model.compile_logp(mode=PYTHON)(model.initial_point()))


@of_every_family
@some
@given(data=st.data())
def test_a_vector_of_them_has_the_sum(family, data):
    pair = [data.draw(members(family)) for _ in range(2)]
    for positive in set(places(pair[0])) & set(places(pair[1])):
        with pm.Model(coords={"coef": ["a", "b"]}) as model:
            vector_variable("x", pair, "coef", ["a", "b"], positive)
        with exact_constants():
            logp = remove_value_transforms(model).compile_logp(mode=PYTHON)
        points = [x for x in inside(pair[0], positive) if x in inside(pair[1], positive)]
        whole = "x" in {variable.name for variable in model.free_RVs}
        at = [{"x": np.full(2, x)} if whole else {"x[a]": x, "x[b]": x} for x in points]
        ours = sum(prior.logpdf(np.array(points)) for prior in pair)
        same_density(ours, [float(logp(each)) for each in at])


@of_every_family
@some
@given(data=st.data())
def test_pymcs_variable_is_read_back(family, data):
    """Up to what family PyMC has for it, and to its single precision."""
    prior = data.draw(members(family))
    if prior.stretched:
        prior = replace(prior, lower=0.0, upper=1.0)
    for positive in places(prior):
        name, arguments = prior.stated(positive)
        back = as_prior(getattr(pm, name).dist(**arguments))
        x = inside(prior, positive)
        np.testing.assert_allclose(back.logpdf(x), prior.logpdf(x), rtol=1e-4, atol=1e-5)


OF_A_MODEL = [family for family in PROPER if family.support != "share"]  # of the residual's own alone


@pytest.mark.parametrize("family", OF_A_MODEL, ids=lambda family: family.__name__)
def test_every_family_makes_a_graph_of_a_model(sleepstudy, family):
    members_of = {"positive": ("sd", "sigma"), "real": ("beta",), "any": ("beta", "sd", "sigma")}
    prior = members(family).filter(lambda prior: prior.support == "real" or prior.bounds[0] >= 0).example()
    priors = default_priors(sleepstudy).replace(dict.fromkeys(members_of[family.support], prior))
    model = build_graph(sleepstudy, priors)
    assert np.isfinite(model.compile_logp(mode=PYTHON)(model.initial_point()))


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (lambda: pm.InverseGamma.dist(mu=2, sigma=3), bl.InverseGamma(2 + 4 / 9, 2 * (1 + 4 / 9))),
        (lambda: pm.TruncatedNormal.dist(1, 2, upper=5), bl.TruncatedNormal(1, 2, -math.inf, 5)),
        (lambda: pm.Uniform.dist(0, 9), bl.Uniform(0, 9)),
        (lambda: pm.LKJCorr.dist(n=3, eta=2), bl.LKJ(2)),
    ],
)
def test_parameters_of_pymcs_variables(given, expected):
    assert vars(as_prior(given())) == pytest.approx(vars(expected))

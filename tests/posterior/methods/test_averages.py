"""Averages without draws are those of quadrature, and tell how far off they may be."""

import numpy as np
import pytest

import bayeslmm
from bayeslmm.posterior.methods.averages import NODES, averages
from bayeslmm.posterior.methods.mixture import NodeMixture
from bayeslmm.posterior.methods.quadrature import quadrature
from bayeslmm.posterior.target import Target


def target_of(formula, data, **options):
    model = bayeslmm.LinearMixedModel(formula, bayeslmm.load_dataset(data), **options)
    return Target(model.design, model.priors)


@pytest.fixture(scope="module", params=["Dyestuff", "Dyestuff2"])
def exact(request):
    target = target_of("Yield ~ 1 + (1 | Batch)", request.param)
    return target, NodeMixture(target, quadrature(target))


@pytest.mark.parametrize("by_weights", [False, True])
def test_means_and_sds_are_quadratures(exact, by_weights, monkeypatch):
    target, mixture = exact
    if by_weights:
        monkeypatch.delitem(NODES, 2)
    found = averages(target)
    assert ("weighted points" in found.how) == by_weights
    mean, sd = found.components.moments()
    expected_mean, expected_sd = mixture.moments
    error = found.error(lambda each: each.moments()[0])
    assert np.all(np.abs(mean - expected_mean) < np.maximum(error, 1e-3 * expected_sd))
    assert sd == pytest.approx(expected_sd, rel=0.01)


def test_the_same_posterior_has_the_same_averages(exact, monkeypatch):
    monkeypatch.delitem(NODES, 2)
    first, second, other = (averages(exact[0], seed).components.moments()[0] for seed in (0, 0, 1))
    assert np.array_equal(first, second)
    assert not np.array_equal(first, other)


def test_other_priors_at_the_same_nodes(exact):
    target, _ = exact
    found = averages(target)
    near = target.priors.replace({"sd": bayeslmm.HalfNormal(1.1 * target.priors.sd["Batch"][0].scale)})
    again = found.reweighted(near)
    afresh = averages(Target(target.design, near))
    mean, sd = afresh.components.moments()
    assert again.components.moments()[0] == pytest.approx(mean, abs=0.01 * sd.max())
    assert found.reweighted(target.priors.replace({"sd": bayeslmm.HalfNormal(1e-3)})) is None
    assert found.reweighted(target.priors.replace({"beta": bayeslmm.Normal(0, 1)})) is None


def test_quantiles_of_the_mixtures(exact):
    target, mixture = exact
    table = mixture.estimates(0.95, ranef=True, interval="eti").frame
    own = np.flatnonzero([label.startswith(("beta", "ranef")) for label in table.index])
    ends = averages(target).components.quantiles(np.array([0.025, 0.975]), own)
    scale = table["sd"].to_numpy()[own]
    assert np.abs(ends[0] - table["lower"].to_numpy()[own]).max() < 0.01 * scale.max()
    assert np.abs(ends[1] - table["upper"].to_numpy()[own]).max() < 0.01 * scale.max()


def test_where_an_evaluation_is_dear_few_nodes_do_and_tell_their_error():
    import pandas as pd

    rng = np.random.default_rng(3)
    g = np.repeat(np.arange(300), 6)
    rows = pd.DataFrame({"g": g, "y": rng.standard_normal(300)[g] + rng.standard_normal(1800)})
    cheap, dear = (bayeslmm.LinearMixedModel("y ~ 1 + (1 | g)", rows) for _ in range(2))
    vars(dear.design.kernel)["small"] = False
    exact, found = (averages(Target(each.design, each.priors)) for each in (cheap, dear))
    assert "3 nodes" in found.how
    mean, sd = exact.components.moments()
    apart = np.abs(found.components.moments()[0] - mean) / sd
    told = found.error(lambda each: each.moments()[0]) / sd
    assert apart.max() < 0.01
    assert np.all(apart < told + 0.005)


def test_too_many_parameters_where_an_evaluation_is_dear_are_left_out():
    target = target_of("score ~ Machine + (0 + Machine | Worker)", "Machines")
    vars(target.design.kernel)["small"] = False
    assert "left out" in averages(target)

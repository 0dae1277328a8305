"""Draws for PyMC's own functions."""

import numpy as np
import pytest

from bayeslmm.posterior.graph.graphs import build_graph

MODELS = {
    "correlated": ("Reaction ~ Days + (Days | Subject)", "sleepstudy"),
    "crossed": ("diameter ~ 1 + (1 | plate) + (1 | sample)", "Penicillin"),
}


@pytest.fixture(params=MODELS)
def result(request, run):
    return run(*MODELS[request.param], method="importance", seed=4, draws=500)


@pytest.mark.parametrize("kind", ["explicit", "marginal"])
def test_every_free_variable_is_there_and_no_other(result, kind):
    graph = build_graph(result.design, result.priors, kind)
    posterior = result.for_graph(kind)["posterior"]
    assert set(posterior.data_vars) == {rv.name for rv in graph.free_RVs}
    assert "log_likelihood" in result.for_graph(kind)


@pytest.mark.parametrize("centred", [False, True])
def test_the_graph_has_the_same_likelihood_and_effects_at_the_draws(result, centred):
    """Compiled by PyTensor's Python linker, at three draws."""
    from pymc.model.transform.conditioning import remove_value_transforms
    from pytensor import function
    from pytensor.compile.mode import Mode

    graph = remove_value_transforms(build_graph(result.design, result.priors, "explicit", centred))
    posterior = result.for_graph("explicit", centred=centred)["posterior"]
    outputs = [graph.logp(vars=graph.observed_RVs, sum=False)[0]]
    evaluate = function(graph.value_vars, outputs, mode=Mode("py", "fast_compile"), on_unused_input="ignore")
    for draw in (0, 7, 400):
        at = [posterior[value.name].values[1, draw] for value in graph.value_vars]
        right = result.data["log_likelihood"]["y"].values[1, draw]
        np.testing.assert_allclose(evaluate(*at)[0], right, rtol=1e-8, atol=1e-8)

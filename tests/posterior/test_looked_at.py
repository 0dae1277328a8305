"""The checkup of a run and its plots."""

import numpy as np
import pytest

import bayeslmm as bl
from bayeslmm.errors import OptionError


@pytest.fixture(scope="module")
def post():
    model = bl.LinearMixedModel("Reaction ~ Days + (Days | Subject)", bl.load_dataset("sleepstudy"))
    return model.sample(draws=400, seed=1, method="importance", progress=False)


def test_the_checkup_has_the_runs_checks_and_the_data_beside_replicates(post):
    found = post.check()
    names = [each.name for each in found]
    assert names[:3] == ["r_hat", "ess", "pareto_k"]
    assert names[3:] == ["data's mean", "data's sd", "data's smallest", "data's largest", "data's skewness"]
    assert found["data's mean"].fine
    assert found.fine
    assert "data's sd is 56.17" in found["data's sd"].sentence


def test_data_that_the_model_does_not_make_are_said():
    data = bl.load_dataset("sleepstudy")
    data["Reaction"] = data["Reaction"].where(data.index != data.index[4], 2000.0)
    model = bl.LinearMixedModel("Reaction ~ Days + (1 | Subject)", data)
    found = model.sample(draws=400, seed=1, method="importance", progress=False).check()
    assert not found["data's largest"].fine
    assert "see plot_ppc()" in found["data's largest"].sentence


def test_replicates_and_the_data_are_drawn(post):
    figure = post.plot_ppc(n=12)
    assert len(figure.data) == 13
    assert figure.data[-1].name == "observed"
    assert figure.layout.xaxis.title.text == "Reaction"
    again = post.plot_ppc(n=12)
    np.testing.assert_array_equal(figure.data[3].y, again.data[3].y)
    with pytest.raises(OptionError, match="n is a whole number of at least 1"):
        post.plot_ppc(n=0)


def test_traces_are_the_draws_by_chain(post):
    figure = post.plot_trace(["sigma", "ranef[Subject=308: Days]"])
    assert len(figure.data) == 2 * 4 * 2
    own = post.draws_frame("sigma")["sigma"].to_numpy().reshape(4, 400)
    np.testing.assert_array_equal(figure.data[1].y, own[0])
    with pytest.raises(OptionError, match="label 'sigmas' isn't known"):
        post.plot_trace("sigmas")


def test_weights_are_repetitions(post):
    bars = post.plot_weights().data[0]
    assert bars.x[0] == 1
    assert sum(bars.y) == pytest.approx(1)


def test_a_run_without_weights_says_so(run):
    found = run("Yield ~ 1 + (1 | Batch)", "Dyestuff", method="quadrature", draws=100, seed=1)
    with pytest.raises(OptionError, match="by quadrature has no importance weights"):
        found.plot_weights()


def test_effects_and_the_caterpillar_are_the_fits_but_for_their_colour(post):
    model = bl.LinearMixedModel("Reaction ~ Days + (Days | Subject)", bl.load_dataset("sleepstudy"))
    fit = model.fit()
    ours, theirs = post.plot_effects("Days").data[2], fit.plot_effects("Days").data[2]
    np.testing.assert_allclose(ours.y, theirs.y, rtol=0.02)
    mine, other = post.plot_ranef().data[1], fit.plot_ranef().data[1]
    assert mine.text[-1] == other.text[-1] == "308"
    assert mine.marker.color != other.marker.color

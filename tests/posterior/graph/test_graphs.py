"""The graphs: what they contain, and that each form integrates to the kernel's density (Python linker)."""

import numpy as np
import pandas as pd
import pytest

from bayeslmm.datasets import load_dataset
from bayeslmm.errors import OptionError
from bayeslmm.likelihood.density import marginal_loglik, restricted_loglik
from bayeslmm.posterior.graph.graphs import build_graph
from bayeslmm.posterior.graph.integrated import GraphDensity
from bayeslmm.spec.build import build
from bayeslmm.spec.model_spec import ModelSpec
from bayeslmm.spec.priors import Normal, StudentT, default_priors

SIZES = {"Subject": np.array([24.7, 5.9])}
COR = {"Subject": np.array([0.07])}


def test_explicit_graph_has_the_agreed_names(sleepstudy):
    model = build_graph(sleepstudy, default_priors(sleepstudy), "explicit")
    assert {v.name for v in model.free_RVs} == {
        "sigma",
        "sd_Subject",
        "cor_Subject_unit",
        "beta",
        "u_Subject",
    }
    assert {v.name for v in model.deterministics} == {"cor_Subject", "ranef_Subject"}
    assert model.named_vars_to_dims["ranef_Subject"] == ("Subject", "Subject_effect")
    assert model.named_vars_to_dims["cor_Subject"] == ("Subject_pair",)
    assert list(model.coords["Subject_pair"]) == ["Intercept, Days"]
    assert list(model.coords["coef"]) == ["Intercept", "Days"]


def test_marginal_graph_holds_the_covariance_parameters_alone(sleepstudy):
    model = build_graph(sleepstudy, default_priors(sleepstudy))
    assert {v.name for v in model.free_RVs} == {"sigma", "sd_Subject", "cor_Subject_unit"}


def test_beta_is_sampled_where_its_prior_is_neither_flat_nor_normal(sleepstudy):
    priors = default_priors(sleepstudy).replace({"beta": StudentT(4, 0, 100)})
    assert "beta" in {v.name for v in build_graph(sleepstudy, priors).free_RVs}


@pytest.mark.parametrize("dataset", ["sleepstudy", "Dyestuff"])
def test_centred_graph_is_the_same_model(design, dataset):
    formula = {"sleepstudy": "Reaction ~ Days + (Days | Subject)", "Dyestuff": "Yield ~ 1 + (1 | Batch)"}
    found = design(formula[dataset], dataset)
    group = found.blocks[0].group
    sd, cor = {group: 20.0 + np.arange(found.blocks[0].k)}, {group: np.array([0.3])[: found.blocks[0].k - 1]}
    centred = GraphDensity(build_graph(found, default_priors(found), "explicit", centred=True), found)
    assert centred(30.0, sd, cor) == pytest.approx(restricted_loglik(found, 30.0, sd, cor), abs=1e-8)


def test_weights_offset_and_known_sigma_are_in_the_graph():
    data = load_dataset("sleepstudy")
    rng = np.random.default_rng(1)
    data["w"], data["o"] = rng.uniform(0.5, 3, len(data)), rng.normal(0, 20, len(data))
    spec = ModelSpec("Reaction ~ Days + offset(o) + (Days | Subject)", weights="w", sigma=25.0)
    found = build(spec, data).design
    model = build_graph(found, default_priors(found), "explicit")
    assert "sigma" not in {v.name for v in model.free_RVs}
    graph, beta = GraphDensity(model, found), np.array([250.0, 10.0])
    assert graph(25.0, SIZES, COR) == pytest.approx(restricted_loglik(found, 25.0, SIZES, COR), abs=1e-8)
    assert graph(25.0, SIZES, COR, beta) == pytest.approx(
        marginal_loglik(found, beta, 25.0, SIZES, COR), abs=1e-8
    )


def test_several_bars_on_one_group_are_a_direct_sum():
    data = load_dataset("sleepstudy")
    data["half"] = (data["Days"] > 4).astype(float)
    found = build(ModelSpec("Reaction ~ Days + (Days | Subject) + (0 + half | Subject)"), data).design
    graph = GraphDensity(build_graph(found, default_priors(found), "explicit"), found)
    sd = {"Subject": np.array([20.0, 6.0, 9.0])}
    assert graph(25.0, sd, COR) == pytest.approx(restricted_loglik(found, 25.0, sd, COR), abs=1e-8)


def test_one_elements_prior_may_be_of_another_family(sleepstudy):
    priors = default_priors(sleepstudy).replace({"beta[Days]": Normal(10.0, 5.0)})
    graph = GraphDensity(build_graph(sleepstudy, priors, "explicit"), sleepstudy)
    found = graph.integral(25.0, SIZES, COR)
    flat = GraphDensity(build_graph(sleepstudy, default_priors(sleepstudy), "explicit"), sleepstudy).integral(
        25.0, SIZES, COR
    )
    assert 10.0 < found.beta[1] < flat.beta[1]
    assert found.beta[0] == pytest.approx(flat.beta[0], abs=1.0)


def test_a_model_without_bars_has_a_graph():
    data = pd.DataFrame({"y": [1.0, 2.0, 4.0, 3.0, 7.0], "x": [0.0, 1.0, 2.0, 3.0, 4.0]})
    found = build(ModelSpec("y ~ x"), data).design
    graph = GraphDensity(build_graph(found, default_priors(found), "explicit"), found)
    assert graph(1.5, {}, {}) == pytest.approx(restricted_loglik(found, 1.5, {}, {}), abs=1e-10)


def test_beta_under_a_heavy_tailed_prior_cannot_be_integrated(sleepstudy):
    priors = default_priors(sleepstudy).replace({"beta": StudentT(2, 100, 1)})
    graph = GraphDensity(build_graph(sleepstudy, priors, "explicit"), sleepstudy)
    with pytest.raises(OptionError, match="neither flat nor normal"):
        graph(25.0, SIZES, COR)
    assert np.isfinite(graph(25.0, SIZES, COR, np.array([250.0, 10.0])))


def test_misspelt_kind_names_the_choices(sleepstudy):
    with pytest.raises(OptionError, match="did you mean 'marginal'"):
        build_graph(sleepstudy, default_priors(sleepstudy), "marginale")


def test_a_marginal_graph_cannot_be_centred(sleepstudy):
    with pytest.raises(OptionError, match="no random effects to centre"):
        build_graph(sleepstudy, default_priors(sleepstudy), "marginal", centred=True)

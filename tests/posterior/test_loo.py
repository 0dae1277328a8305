"""Leaving out rows and levels, against dense likelihoods on a grid and against posteriors without them."""

import numpy as np
import pandas as pd
import pytest
from scipy.special import logsumexp

import bayeslmm as bl
from bayeslmm.errors import OptionError
from bayeslmm.posterior import loo as module
from bayeslmm.posterior.effects.group_likelihood import group_log_likelihood
from bayeslmm.posterior.options import SampleOptions
from bayeslmm.posterior.parameters import block_factors
from bayeslmm.posterior.sample import sample
from bayeslmm.posterior.target import Target
from bayeslmm.spec.build import build
from bayeslmm.spec.model_spec import ModelSpec
from bayeslmm.spec.priors import Normal, default_priors
from bayeslmm.spec.row_sets import RowSets

CROSSED = ("diameter ~ 1 + (1 | plate) + (1 | sample)", "Penicillin")


def log_integral(V, X, y):
    """log ∫p(y | β)dβ under a flat prior."""
    inverse = np.linalg.inv(V)
    K, c = X.T @ inverse @ X, X.T @ inverse @ y
    n, p = X.shape
    squares = y @ inverse @ y - c @ np.linalg.solve(K, c)
    return -0.5 * ((n - p) * np.log(2 * np.pi) + np.linalg.slogdet(V)[1] + np.linalg.slogdet(K)[1] + squares)


@pytest.fixture(scope="module")
def dyestuff():
    model = bl.LinearMixedModel("Yield ~ 1 + (1 | Batch)", bl.load_dataset("Dyestuff"))
    return model.sample(draws=2000, seed=3, method="importance", progress=False)


def by_grid(post, rows):
    """log p(y_j | y_-j) by quadrature over sd and sigma of dense likelihoods."""
    design, priors = post.design, post.priors
    sigma, sd = np.exp(np.linspace(np.log(25), np.log(130), 24)), np.linspace(3, 357, 60)
    Z, rest = design.Z.toarray(), np.setdiff1d(np.arange(design.n), rows)
    whole, others = [], []
    for s in sigma:
        for t in sd:
            V = t**2 * Z @ Z.T + s**2 * np.eye(design.n)
            prior = float(priors.sigma.logpdf(s) + priors.sd["Batch"][0].logpdf(t) + np.log(s))
            whole.append(prior + log_integral(V, design.X, design.y))
            others.append(prior + log_integral(V[np.ix_(rest, rest)], design.X[rest], design.y[rest]))
    return logsumexp(whole) - logsumexp(others)


@pytest.mark.parametrize(("unit", "number"), [("Batch", 4), ("row", 7)])
def test_a_unit_is_predicted_as_by_quadrature(dyestuff, unit, number):
    rows = RowSets.of(dyestuff.design, unit).rows(number)
    found = dyestuff.loo(unit).frame["elpd"].iloc[number]
    assert found == pytest.approx(by_grid(dyestuff, rows), abs=0.03)


@pytest.mark.parametrize("unit", ["row", "plate", "sample"])
def test_density_of_any_unit_is_a_ratio_of_dense_likelihoods(unit):
    design = build(ModelSpec(CROSSED[0]), bl.load_dataset(CROSSED[1])).design
    target = Target(design, default_priors(design))
    parameters = target.parameters(target.start() + 0.2 * np.arange(target.size)[None])
    sets = RowSets.of(design, unit)
    found = group_log_likelihood(design, target.priors, parameters, sets.codes)
    assert found.shape == (1, len(sets))
    V = parameters.sigma[0] ** 2 * np.eye(design.n)
    for block, factor in zip(design.blocks, block_factors(design, parameters).values(), strict=True):
        V += factor[0, 0, 0] ** 2 * (block.codes[:, None] == block.codes)
    for number in (0, len(sets) - 1):
        rest = np.flatnonzero(sets.codes != number)
        others = log_integral(V[np.ix_(rest, rest)], design.X[rest], design.y[rest])
        assert found[0, number] == pytest.approx(log_integral(V, design.X, design.y) - others, rel=1e-8)


def test_refits_agree_with_weights_where_weights_do(monkeypatch):
    design = build(ModelSpec(CROSSED[0]), bl.load_dataset(CROSSED[1])).design
    options = SampleOptions(draws=500, seed=1, method="importance", progress=False)
    post = sample(design, default_priors(design), options)
    weighted = post.loo("sample")
    assert (weighted.frame["pareto_k"] < 0.7).all()
    assert not weighted.frame["refitted"].any()
    monkeypatch.setattr(module, "PARETO_K", -np.inf)
    refitted = post.loo("sample")
    assert refitted.frame["refitted"].all()
    np.testing.assert_allclose(refitted.frame["elpd"], weighted.frame["elpd"], atol=0.12)


def test_heavy_weights_are_refitted_and_can_be_left():
    data = bl.load_dataset("sleepstudy")
    model = bl.LinearMixedModel("Reaction ~ Days + (1 | Subject)", data.assign(Reaction=outlying(data)))
    post = model.sample(draws=500, seed=2, method="importance", progress=False)
    left = post.loo("Subject", refit=False)
    assert left.frame["pareto_k"].idxmax() == "308"
    assert "Pareto k above 0.7 without a refit: 308" in left.notes[0]
    found = post.loo("Subject")
    assert found.frame["refitted"].tolist() == (left.frame["pareto_k"] > 0.7).tolist()
    assert found.notes == ()
    assert found.elpd < left.elpd + 1
    assert "1 of them refitted" in repr(found)


def outlying(data):
    """The response, one subject far off and noisy."""
    own = (data["Subject"] == "308").to_numpy()
    return data["Reaction"] + own * (600 + 400 * (-1.0) ** np.arange(len(data)))


def test_the_sum_has_an_error_and_prints(dyestuff):
    found = dyestuff.loo("Batch")
    assert found.elpd == pytest.approx(found.frame["elpd"].sum())
    assert found.se == pytest.approx(np.sqrt(6) * found.frame["elpd"].std())
    assert found.looic == -2 * found.elpd
    assert 0 < found.p < 3
    assert found.to_markdown().startswith("Leaving out each Batch of 6: elpd")


def test_what_a_flat_prior_cannot_predict_is_missing_and_said():
    rng = np.random.default_rng(1)
    data = pd.DataFrame({"g": np.repeat(list("abcdef"), 5), "y": rng.normal(size=30)})
    data["only"] = (data["g"] == "b") * np.tile([0.0, 1.0, 2.0, 3.0, 4.0], 6)
    model = bl.LinearMixedModel("y ~ only + (1 | g)", data)
    post = model.sample(draws=300, seed=1, method="importance", progress=False)
    found = post.loo("g")
    assert found.frame["elpd"].isna().tolist() == [False, True, False, False, False, False]
    assert np.isnan(found.elpd)
    assert found.notes == ("without b a flat prior has no posterior",)
    proper = model.with_priors({"beta": Normal(0, 10)}).sample(
        draws=300, seed=1, method="importance", progress=False
    )
    assert proper.loo("g").frame["elpd"].notna().all()


def test_wrong_units_are_told(dyestuff, monkeypatch):
    known = r"random effects or a column; 'batch' isn't known; did you mean 'Batch'\?"
    with pytest.raises(OptionError, match=known):
        dyestuff.loo("batch")
    monkeypatch.setattr(module, "MOST_WORK", 1e4)
    with pytest.raises(OptionError, match=r"only .* draws could be looked at"):
        dyestuff.loo()

"""To Bambi and back."""

import numpy as np
import pytest

import bayeslmm as bl
from bayeslmm.errors import InputError, OptionError

from .bambi_here import needs_bambi

pytestmark = needs_bambi


def bambi_model(formula, dataset, **options):
    import bambi

    return bambi.Model(formula, bl.load_dataset(dataset), **options)


def test_independent_terms_become_double_bars():
    model = bl.from_bambi(bambi_model("Reaction ~ Days + (Days|Subject)", "sleepstudy"))
    assert model.spec.formula == "Reaction ~ Days + (Days||Subject)"
    assert model.design.covariance.block_pairs(0) == ()
    plain = bl.LinearMixedModel("Reaction ~ Days + (Days || Subject)", bl.load_dataset("sleepstudy"))
    assert model.fit().criterion_value == pytest.approx(plain.fit().criterion_value)


def test_bambi_default_priors_are_ours():
    model = bl.from_bambi(bambi_model("Reaction ~ Days + (Days|Subject)", "sleepstudy"))
    ours = bl.LinearMixedModel("Reaction ~ Days + (Days || Subject)", bl.load_dataset("sleepstudy")).priors
    for given, default in zip(model.priors.sd["Subject"], ours.sd["Subject"], strict=True):
        assert given.scale == pytest.approx(default.scale, rel=1e-6)
    assert model.priors.sigma.scale == pytest.approx(ours.sigma.scale, rel=1e-6)
    assert model.priors.beta[1].sd == pytest.approx(48.8915, abs=1e-3)


def test_factors_keep_the_prior_of_each_column():
    model = bl.from_bambi(bambi_model("score ~ Machine + (Machine|Worker)", "Machines"))
    assert [type(prior).__name__ for prior in model.priors.beta] == ["Normal"] * 3
    assert len(model.priors.sd["Worker"]) == 3


def test_what_is_not_gaussian_is_refused():
    import bambi

    data = bl.load_dataset("sleepstudy")
    with pytest.raises(OptionError, match="gamma"):
        bl.from_bambi(bambi.Model("Reaction ~ Days", data, family="gamma"))
    two = bambi.Model(bambi.Formula("Reaction ~ Days", "sigma ~ Days"), data)
    with pytest.raises(OptionError, match="1 further"):
        bl.from_bambi(two)


@pytest.mark.parametrize(
    ("formula", "dataset"),
    [
        ("Reaction ~ Days + (Days || Subject)", "sleepstudy"),
        ("score ~ Machine + (1 | Worker)", "Machines"),
        ("strength ~ 1 + (1 | batch/cask)", "Pastes"),
    ],
)
def test_there_and_back(formula, dataset):
    model = bl.LinearMixedModel(formula, bl.load_dataset(dataset))
    back = bl.from_bambi(model.to_bambi())
    assert back.priors.table == pytest.approx(model.priors.table) or back.priors.table == model.priors.table
    np.testing.assert_allclose(back.design.X, model.design.X)


@pytest.mark.parametrize(
    ("formula", "options", "reason"),
    [
        ("Reaction ~ Days + (Days | Subject)", {}, r"correlated; write \(x \|\| g\)"),
        ("Reaction ~ Days + (1 | Subject)", {"weights": np.linspace(1, 2, 180)}, "weights divide"),
        ("Reaction ~ Days + (1 | Subject)", {"sigma": 20.0}, "sigma is known"),
    ],
)
def test_what_bambi_cannot_say_is_refused(formula, options, reason):
    model = bl.LinearMixedModel(formula, bl.load_dataset("sleepstudy"), **options)
    with pytest.raises(OptionError, match=reason):
        model.to_bambi()


NAMES = {
    "Intercept": "beta[Intercept]",
    "Days": "beta[Days]",
    "1|Subject_sigma": "sd[Subject: Intercept]",
    "Days|Subject_sigma": "sd[Subject: Days]",
}


@pytest.mark.slow
def test_both_have_the_same_posterior_and_compare_takes_bambi_draws():
    theirs = bambi_model("Reaction ~ Days + (Days|Subject)", "sleepstudy")
    model = bl.from_bambi(theirs)
    tree = theirs.fit(draws=4000, tune=1000, chains=4, cores=2, random_seed=11, progressbar=False)
    ours = model.sample(draws=4000, seed=12, method="importance", progress=False)
    parity = bl.compare(model.fit(), tree, names=NAMES)
    labels = [*NAMES.values(), "sigma"]
    assert set(labels) <= set(parity.table["label"])
    from bayeslmm.parity.foreign import tree_estimates

    other = tree_estimates(tree, 0.95).relabel(NAMES | ranef_names(tree)).frame
    own = ours.estimates(ranef=True).frame
    assert set(own.index) <= set(other.index)
    z = (own["mean"] - other["mean"]) / np.hypot(own["mcse"], other["mcse"])
    assert z[own.index].abs().max() < 4


def ranef_names(tree):
    """Our label of each of Bambi's random effects."""
    subjects = tree["posterior"]["Subject__factor_dim"].values
    return {
        f"{theirs}|Subject[{subject}]": f"ranef[Subject={subject}: {ours}]"
        for theirs, ours in (("1", "Intercept"), ("Days", "Days"))
        for subject in subjects
    }


def test_compare_takes_a_bare_data_tree():
    data = bl.load_dataset("sleepstudy")
    model = bl.LinearMixedModel("Reaction ~ Days + (1 | Subject)", data)
    post = model.sample(draws=200, seed=1, method="importance", progress=False)
    parity = bl.compare(model.fit(), post.data, names={"sd_Subject[Intercept]": "sd[Subject: Intercept]"})
    same = bl.compare(model.fit(), post)
    for label in ("beta[Days]", "sd[Subject: Intercept]", "sigma"):
        assert parity.table.set_index("label").loc[label, "mean"] == pytest.approx(
            same.table.set_index("label").loc[label, "mean"]
        )
    with pytest.raises(InputError, match="no group 'posterior'"):
        bl.compare(model.fit(), post.data["sample_stats"])

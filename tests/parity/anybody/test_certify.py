"""Anybody's density against the kernel: certified, a difference named, or said why not."""

import numpy as np
import pandas as pd
import pymc as pm
import pytest

import bayeslmm as bl
from bayeslmm.errors import InputError

NAMES = {"tau": "sd[Batch: Intercept]", "b": "ranef[Batch: Intercept]"}


@pytest.fixture(scope="module")
def model():
    return bl.LinearMixedModel("Yield ~ 1 + (1 | Batch)", bl.load_dataset("Dyestuff"))


def script(design, likelihood=pm.Normal, spread=lambda tau: tau, more=None, **options):
    """A one-way model as a PyMC user writes it."""
    with pm.Model() as graph:
        intercept = pm.Normal("intercept", 1500.0, 500.0)
        tau, sigma = pm.HalfNormal("tau", 100.0), pm.HalfNormal("sigma", 100.0)
        u = pm.Normal("u", shape=6)
        b = pm.Deterministic("b", spread(tau) * u)
        mu = intercept + b[design.blocks[0].codes]
        likelihood("y", mu=mu, sigma=sigma, observed=design.y, **options)
        if more is not None:
            pm.Potential("more", more(tau))
    return graph


def test_a_plain_script_is_certified_with_its_priors(model):
    found = bl.certify(script(model.design), model, names=NAMES)
    assert found.certified
    assert max(found.precision_off, found.mean_off, found.density_off) < 1e-9
    assert found.priors["tau"] == "HalfNormal(scale=100)"
    assert repr(found).startswith("Certified")
    assert "Certified" in found._repr_html_()
    assert len(found.to_frame()) == 0
    assert {"sigma", "sd[Batch: Intercept]", "remainder"} <= set(found.points.columns)


SCRIPTS = {
    "is a variance": ({"spread": lambda tau: tau**2}, "standard deviation"),
    "2 times the sd": ({"spread": lambda tau: 2 * tau}, "standard deviation"),
    "+3 of log density": ({"more": lambda tau: 3.0 + 0.0 * tau}, "constant"),
    "implied prior": ({"more": lambda tau: -0.5 * pm.math.log(tau)}, "prior"),
}


@pytest.mark.slow
@pytest.mark.parametrize("said", SCRIPTS)
def test_a_difference_of_a_script_is_named(model, said):
    options, kind = SCRIPTS[said]
    found = bl.certify(script(model.design, **options), model, names=NAMES)
    assert found.kinds == (kind,)
    assert said in found.sentence


def test_a_graph_that_is_not_gaussian_is_told_with_the_evidence(model):
    with pytest.raises(
        InputError, match=r"response is StudentT, isn't Gaussian .* departs from a straight line by"
    ):
        bl.certify(script(model.design, pm.StudentT, nu=4.0), model, names=NAMES)


def test_a_graph_without_effects_has_nothing_to_compare(model):
    with pytest.raises(InputError, match=r"integrated out.*model.graph\('explicit'\)"):
        bl.certify(model.graph("marginal"), model)


def test_a_variable_without_a_name_is_asked_for(model):
    with pytest.raises(InputError, match=r"names=\{'tau': 'sd\[Batch: Intercept\]'\}"):
        bl.certify(script(model.design), model)


@pytest.mark.slow
def test_priors_that_were_meant_are_compared_with_those_of_the_graph(model):
    meant = {"sd[Batch: Intercept]": bl.HalfNormal(100.0), "sigma": bl.HalfNormal(10.0)}
    found = bl.certify(script(model.design), model, names=NAMES, priors=meant)
    assert found.kinds == ("prior",)
    assert "sigma ~ HalfNormal(scale=10); theirs has sigma ~ HalfNormal(scale=100)" in found.sentence
    assert found.uncompared == ()


def test_priors_of_what_is_no_free_variable_are_said_to_be_compared_with_nothing(model):
    meant = {"sd[Batch: Intercept]": bl.HalfNormal(3.0), "sigma": bl.HalfNormal(100.0)}
    theirs = script(model.design, spread=lambda tau: pm.Deterministic("spread", 1.0 * tau))
    names = {"spread": "sd[Batch: Intercept]", "b": "ranef[Batch: Intercept]"}
    found = bl.certify(theirs, model, names=names, priors=meant)
    assert found.certified
    assert found.uncompared == ("sd[Batch: Intercept]",)
    assert "given for sd[Batch: Intercept] were compared with nothing" in found.sentence


# a log density with its gradient

LABELS = {
    "s": "sigma",
    "t": "sd[Batch: Intercept]",
    "b0": "beta[Intercept]",
    "b": "ranef[Batch: Intercept]",
}
PRIORS = {"beta[Intercept]": bl.Normal(1500.0, 100.0), "sd[Batch: Intercept]": bl.Exponential(50.0)}
HALF_LOG_2PI = 0.5 * np.log(2 * np.pi)


def density(design, order=None, power=2, sign=1.0, constant=0.0):
    """The one-way model by hand, with the priors above; faults by option."""
    codes = design.blocks[0].codes if order is None else np.array(order)[design.blocks[0].codes]

    def logp(values):
        s, t, b0, b = (np.asarray(values[name], dtype=float) for name in LABELS)
        r = design.y - b0 - b[codes]
        value = -0.5 * np.sum(r**2) / s**2 - design.n * (np.log(s) + HALF_LOG_2PI)
        value += -0.5 * np.sum(b**2) / t**power - 6 * (0.5 * power * np.log(t) + HALF_LOG_2PI)
        value += -0.5 * ((b0 - 1500) / 100) ** 2 - np.log(100) - HALF_LOG_2PI - t / 50 - np.log(50) + constant
        by_b = np.bincount(codes, r, 6) / s**2 - b / t**power
        return value, {"b0": sign * r.sum() / s**2 - (b0 - 1500) / 100**2, "b": by_b}

    return logp


FAULTS = {
    "certified": ({}, None),
    "levels": ({"order": [1, 0, 2, 3, 4, 5]}, "levels of Batch"),
    "standard deviation": ({"power": 4}, "is a variance"),
    "constant": ({"constant": -2.0}, "-2 of log density"),
}


@pytest.mark.parametrize("kind", FAULTS)
def test_a_function_is_certified_or_its_difference_named(model, kind):
    options, said = FAULTS[kind]
    found = bl.certify(density(model.design, **options), model, names=LABELS, priors=PRIORS)
    assert found.certified == (said is None), found
    assert found.kinds == (() if said is None else (kind,))
    assert said is None or said in found.sentence


@pytest.mark.parametrize(
    ("left_out", "said"), [("beta[Intercept]", "with sd 100"), ("sd[Batch: Intercept]", "implied")]
)
def test_a_prior_that_nobody_declared_is_shown_and_not_certified(model, left_out, said):
    declared = {label: prior for label, prior in PRIORS.items() if label != left_out}
    found = bl.certify(density(model.design), model, names=LABELS, priors=declared)
    assert found.kinds == ("prior",)
    assert said in found.sentence
    if said == "implied":
        expected = bl.Exponential(50.0).logpdf(found.points["sd[Batch: Intercept]"])
        np.testing.assert_allclose(found.points["remainder"], expected, atol=1e-5)


def test_a_term_that_a_function_lacks(model):
    names = {"s": "sigma", "b0": "beta[Intercept]"}
    y = model.design.y

    def logp(values):
        r = y - values["b0"]
        value = -0.5 * np.sum(r**2) / values["s"] ** 2 - len(y) * (np.log(values["s"]) + HALF_LOG_2PI)
        return value, {"b0": r.sum() / values["s"] ** 2}

    found = bl.certify(logp, model, names=names)
    assert found.kinds == ("term",)
    assert "theirs has no sd[Batch: Intercept]" in found.sentence


def test_a_gradient_that_belongs_to_another_density_is_refused(model):
    with pytest.raises(InputError, match=r"doesn't determine|isn't Gaussian"):
        bl.certify(density(model.design, sign=-1.0), model, names=LABELS, priors=PRIORS)


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (None, "a function with names="),
        ({**LABELS, "b": "ranef[Btach: Intercept]"}, r"the model has no 'ranef\[Btach"),
        ({**LABELS, "more": "sigma"}, "two names"),
    ],
)
def test_names_that_say_nothing(model, names, said):
    with pytest.raises(InputError, match=said):
        bl.certify(density(model.design), model, names=names, priors=PRIORS)


def test_something_else(model):
    with pytest.raises(InputError, match="not a DataFrame"):
        bl.certify(pd.DataFrame(), model)


def test_too_many_effects():
    rng, g = np.random.default_rng(1), np.repeat(np.arange(600), 2)
    data = pd.DataFrame({"y": rng.normal(size=1200), "g": g})
    with pytest.raises(InputError, match="601 effects"):
        bl.certify(lambda values: values, bl.LinearMixedModel("y ~ 1 + (1 | g)", data), names={"s": "sigma"})


@pytest.mark.slow
@pytest.mark.parametrize("centred", [False, True])
def test_bambis_sleepstudy(centred):
    bambi = pytest.importorskip("bambi")
    data = bl.load_dataset("sleepstudy")
    theirs = bambi.Model("Reaction ~ Days + (Days | Subject)", data, center_predictors=centred)
    found = bl.certify(theirs, bl.LinearMixedModel("Reaction ~ Days + (Days || Subject)", data))
    assert found.certified == (not centred)
    assert found.kinds == (("centring",) if centred else ())
    assert not centred or "counts from 4.5" in found.sentence
    correlated = bl.certify(theirs, bl.LinearMixedModel("Reaction ~ Days + (Days | Subject)", data))
    assert "correlation" in correlated.kinds

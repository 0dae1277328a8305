"""Standard errors of functions and combinations, beside the algebra of each."""

import numpy as np
import pytest

import bayeslmm
from bayeslmm.errors import SingularFitWarning
from bayeslmm.parity.ladder.estimands import Estimands
from bayeslmm.parity.ladder.standard_errors import followed_errors


@pytest.fixture(scope="module")
def fit():
    return bayeslmm.LinearMixedModel(
        "Reaction ~ Days + (Days || Subject)", bayeslmm.load_dataset("sleepstudy")
    ).fit()


def errors(fit, given):
    return followed_errors(fit, Estimands.of(fit.design, given))


def test_a_parameter_has_the_error_of_the_table(fit):
    labels = ["beta[Days]", "sd[Subject: Days]", "sd[Subject: Intercept]", "sigma"]
    found = errors(fit, {f"the {label}": (lambda v, label=label: 1.0 * v[label]) for label in labels})
    told = fit.estimates().frame["se"]
    for label in labels:
        assert found[f"the {label}"] == pytest.approx(told[label], rel=1e-6)


def test_a_ratio_of_sds_is_theta(fit):
    found = errors(fit, {"theta": lambda v: v["sd[Subject: Days]"] / v["sigma"]})
    theta = np.sqrt(fit.theta_sigma_vcov[1, 1])
    assert found["theta"] == pytest.approx(theta, rel=1e-6)


def test_a_ratio_and_a_combination_of_fixed_effects(fit):
    found = errors(
        fit,
        {
            "ratio": lambda v: v["beta[Days]"] / v["beta[Intercept]"],
            "day 9": {"beta[Intercept]": 1, "beta[Days]": 9},
        },
    )
    intercept, days = fit.beta_values
    slopes = np.array([-days / intercept**2, 1 / intercept])
    assert found["ratio"] == pytest.approx(np.sqrt(slopes @ fit.vcov_values @ slopes), rel=1e-6)
    assert found["day 9"] == pytest.approx(np.sqrt([1, 9] @ fit.vcov_values @ [1, 9]))


def test_phi_is_among_them():
    data = bayeslmm.load_dataset("Orthodont")
    variance = bayeslmm.variance.Ident("Sex")
    fit = bayeslmm.LinearMixedModel("distance ~ age + (1 | Subject)", data, variance=variance).fit()
    found = errors(fit, {"own": lambda v: 1.0 * v["sd[Sex: Male]"]})
    assert found["own"] == pytest.approx(fit.estimates().frame.loc["sd[Sex: Male]", "se"], rel=1e-6)


def test_what_reads_a_boundary_or_random_effects_has_none():
    with pytest.warns(SingularFitWarning):
        fit = bayeslmm.LinearMixedModel("Yield ~ 1 + (1 | Batch)", bayeslmm.load_dataset("Dyestuff2")).fit()
    assert errors(fit, {"b": lambda v: v["ranef[Batch=A: Intercept]"] ** 2}) == {}

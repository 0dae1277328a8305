"""The installed marginaleffects takes a fit, and says what the fit says."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

import bayeslmm as bl

me = pytest.importorskip("marginaleffects")


@pytest.fixture(scope="module")
def fit():
    formula = "yield ~ nitro * Variety + (1 | Block/Variety)"
    return bl.LinearMixedModel(formula, bl.load_dataset("Oats")).fit()


@pytest.fixture(scope="module")
def model(fit):
    return fit.for_marginaleffects()


def test_predictions_are_the_populations(fit, model):
    found = me.predictions(model)
    own = fit.predict(random="none", interval="confidence")
    assert_allclose(found["estimate"], own["prediction"], rtol=1e-9)
    assert_allclose(found["std_error"], own["se"], rtol=1e-6)
    assert_allclose(found["conf_low"], own["lower"], rtol=1e-6)


def test_slopes_are_ours(fit, model):
    found = me.avg_slopes(model, variables="nitro", by="Variety", eps=0.1)  # a mean that is linear
    own = fit.slopes("nitro", by="Variety", ddf="normal").table
    assert list(found["Variety"]) == list(own.index)
    assert_allclose(found["estimate"], own["estimate"], rtol=1e-5)
    assert_allclose(found["std_error"], own["se"], rtol=1e-5)


def test_comparisons_are_our_contrasts(fit, model):
    found = me.avg_comparisons(model, variables="Variety")
    own = fit.marginal_means("Variety", ddf="normal").contrasts("reference", adjust="none")
    assert_allclose(found["estimate"], own["estimate"], rtol=1e-6)
    assert_allclose(found["std_error"], own["se"], rtol=1e-5)
    assert_allclose(found["p_value"], own["p"], rtol=1e-4)


def test_hypotheses_are_our_tests(fit, model):
    found = me.hypotheses(model, hypothesis="b1 = b2")
    first, second = fit.design.coefs[1:3]
    own = fit.test(f"{first} - {second} = 0", ddf="normal").rows.iloc[0]
    assert_allclose(np.abs(found["estimate"]), np.abs(own["estimate"]), rtol=1e-6)
    assert_allclose(found["std_error"], own["se"], rtol=1e-5)


def test_kenward_rogers_covariance_and_offsets(fit):
    adjusted = fit.for_marginaleffects("kenward-roger")
    assert_allclose(adjusted.get_vcov(), fit.vcov_kenward_roger)
    data = bl.load_dataset("sleepstudy")
    own = bl.LinearMixedModel("Reaction ~ Days + offset(5 * Days) + (1 | Subject)", data).fit()
    found = me.avg_slopes(own.for_marginaleffects(), variables="Days")
    assert_allclose(found["estimate"], own.beta["Days"] + 5, rtol=1e-6)


@pytest.mark.parametrize("response", ["`time taken`", "np.log(`time taken`)", "scale(Reaction)"])
def test_any_response_can_be_asked(response):
    data = bl.load_dataset("sleepstudy").assign(**{"time taken": lambda rows: rows["Reaction"]})
    own = bl.LinearMixedModel(f"{response} ~ Days + (1 | Subject)", data).fit()
    assert_allclose(me.avg_slopes(own.for_marginaleffects())["estimate"], own.beta["Days"], rtol=1e-6)

"""Coefficients by level and combinations of effects, against dense algebra."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.linalg import block_diag

from bayeslmm.errors import OptionError
from bayeslmm.spec.dense import dense_covariance


def test_coef_is_fixed_plus_random(sleep):
    found = sleep.coef()["Subject"]
    assert_allclose(found, sleep.ranef()["Subject"] + sleep.beta_values, rtol=1e-12)
    assert found.index.name == "Subject"


def test_coef_has_what_is_fixed_only_and_random_only(fitter):
    found = fitter("Reaction ~ Days + (1 | Subject)", "sleepstudy").coef()["Subject"]
    assert found["Days"].nunique() == 1
    found = fitter("Reaction ~ 1 + (0 + Days | Subject)", "sleepstudy").coef()["Subject"]
    assert list(found) == ["Intercept", "Days"] and found["Days"].nunique() == 18


@pytest.mark.parametrize("which", ["sleep", "pastes"])
def test_blup_has_the_variance_of_its_error(which, request):
    """Var(c'β̂ + d'(b̂ − b)) with V inverted: b̂ = GZ'V⁻¹(y − Xβ̂)."""
    fit = request.getfixturevalue(which)
    design, rng = fit.design, np.random.default_rng(1)
    C, D = rng.normal(size=(4, design.p)), rng.normal(size=(4, design.q))
    X, Z = design.X, design.Z.toarray()
    V = dense_covariance(design, fit.theta_values, fit.sigma)
    factors = design.covariance.factors(fit.theta_values)
    parts = zip(design.blocks, factors, strict=True)
    G = fit.sigma**2 * block_diag(*(np.kron(np.eye(block.n_levels), F @ F.T) for block, F in parts))
    inverse = np.linalg.inv(V)
    to_beta = np.linalg.solve(X.T @ inverse @ X, X.T @ inverse)
    to_b = G @ Z.T @ inverse @ (np.eye(design.n) - X @ to_beta)
    error = C @ to_beta + D @ to_b  # of y; its part of b itself is taken away
    expected = error @ V @ error.T - 2 * error @ Z @ G @ D.T + D @ G @ D.T
    found = fit.blup(C, D).frame
    assert_allclose(found["estimate"], C @ fit.beta_values + D @ fit.b, rtol=1e-10)
    assert_allclose(found["se"] ** 2, np.diag(expected), rtol=1e-6)


def test_blup_by_name_is_a_prediction(sleep):
    c, d = {"Intercept": 1, "Days": 4}, {"ranef[Subject=330: Intercept]": 1, "ranef[Subject=330: Days]": 4}
    found = sleep.blup(c, d, prob=0.9).frame.iloc[0]
    asked = {"Days": 4, "Subject": "330"}
    expected = sleep.predict(asked, interval="confidence", prob=0.9).iloc[0]
    assert_allclose(found[["estimate", "se", "lower", "upper"]].astype(float), expected, rtol=1e-10)


@pytest.mark.parametrize(
    ("c", "d", "message"),
    [
        ({"Dayz": 1}, None, "c names 'Dayz', which isn't in the model; did you mean 'Days'"),
        (None, {"ranef[Subject=1: Days]": 1}, "d names 'ranef"),
        ([1.0, 2.0, 3.0], None, r"c has shape \(3,\); it needs 2 finite weights"),
        ({"Days": "a"}, None, "c is 'a', which isn't numbers; 1 needed: Days"),
        ([["a", "b"]], None, "c is .*, which isn't numbers"),
        (np.ones((2, 2)), np.ones((3, 36)), "c has 2 rows and d has 3"),
    ],
)
def test_weights_that_cannot_be(sleep, c, d, message):
    with pytest.raises(OptionError, match=message):
        sleep.blup(c, d)


def test_shares_of_a_model_without_effects(fitter):
    fit = fitter("Reaction ~ Days", "sleepstudy")
    marginal, conditional = fit.r2().frame["estimate"]
    assert marginal == pytest.approx(conditional) and 0 < marginal < 1
    assert fit.icc().row("icc[adjusted]")["estimate"] == 0


def test_dir_shows_verbs_and_numbers(sleep):
    shown = dir(sleep)
    assert {"predict", "marginal_means", "beta", "coef", "residuals"} <= set(shown)
    assert not {"lam", "kept", "pwrss"} & set(shown)
    assert all(hasattr(sleep, name) for name in sleep.INNER)

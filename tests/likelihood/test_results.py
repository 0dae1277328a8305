"""What a fit says of itself, beyond the numbers R has."""

import copy
import pickle

import numpy as np
import pandas as pd
import pytest

from bayeslmm.datasets import load_dataset
from bayeslmm.errors import DataError, OptionError
from bayeslmm.spec.labels import parameter_labels


def dense_marginal(fit, theta):
    """V/σ² row by row, from Λ and Z."""
    blocks = [
        np.kron(np.eye(b.n_levels), factor)
        for b, factor in zip(fit.design.blocks, fit.design.covariance.factors(theta), strict=True)
    ]
    q = fit.design.q
    Lambda, first = np.zeros((q, q)), 0
    for block in blocks:
        Lambda[first : first + len(block), first : first + len(block)] = block
        first += len(block)
    root = fit.design.Z @ Lambda
    return root @ root.T + np.diag(1 / fit.design.residual.weights), Lambda


def test_wald_errors_are_those_of_the_joint_hessian(sleep):
    """Finite differences of −2ℓ_R in natural coordinates know nothing of profiles or θ."""
    from bayeslmm.likelihood.density import restricted_loglik

    table = sleep.estimates().select("sd", "cor", "sigma").frame
    x = table["estimate"].to_numpy()

    def criterion(x):
        return -2 * restricted_loglik(sleep.design, x[3], {"Subject": x[:2]}, {"Subject": x[2:3]})

    steps = np.diag(1e-3 * np.array([20.0, 5.0, 0.5, 25.0]))
    hessian = np.array(
        [
            [
                (criterion(x + a + b) - criterion(x + a - b) - criterion(x - a + b) + criterion(x - a - b))
                / (4 * a.sum() * b.sum())
                for a in steps
            ]
            for b in steps
        ]
    )
    np.testing.assert_allclose(table["se"], np.sqrt(np.diag(2 * np.linalg.inv(hessian))), rtol=1e-4)


def test_estimates_carry_every_label(pastes):
    table = pastes.estimates(prob=0.9, ranef=True)
    assert table.labels[:4] == parameter_labels(pastes.design)
    assert len(table) == 4 + pastes.design.q
    assert (table.source, table.interval, table.prob) == ("REML", "wald", 0.9)
    assert (
        (table.frame["lower"] < table.frame["estimate"]) & (table.frame["estimate"] < table.frame["upper"])
    ).all()


def test_boundary_has_an_estimate_of_zero_and_no_error(singular):
    row = singular.estimates().row("sd[Batch: Intercept]")
    assert row["estimate"] == 0.0
    assert np.isnan([row["se"], row["lower"], row["upper"]]).all()
    sigma = singular.estimates().row("sigma")
    assert sigma["se"] == pytest.approx(sigma["estimate"] / np.sqrt(2 * 29), rel=1e-9)


def test_known_sigma_has_no_row(fitter):
    fit = fitter("Reaction ~ Days + (Days | Subject)", "sleepstudy", sigma=25.0)
    assert "sigma" not in fit.estimates()
    assert fit.n_params == 5


def test_conditional_variance_and_leverage_are_those_of_dense_algebra(fitter):
    fit = fitter("strength ~ 1 + (1 | batch / cask)", "Pastes", weights="w")
    design = fit.design
    V, Lambda = dense_marginal(fit, fit.theta_values)
    ZL = design.Z @ Lambda
    cov_yb = ZL @ Lambda.T
    inverse = np.linalg.inv(V)
    information = design.X.T @ inverse @ design.X
    given_beta = Lambda @ Lambda.T - cov_yb.T @ inverse @ cov_yb
    gain = cov_yb.T @ inverse @ design.X
    total = given_beta + gain @ np.linalg.inv(information) @ gain.T
    np.testing.assert_allclose(fit.sd_conditional, fit.sigma * np.sqrt(np.diag(given_beta)), rtol=1e-10)
    np.testing.assert_allclose(fit.sd_prediction, fit.sigma * np.sqrt(np.diag(total)), rtol=1e-10)
    to_beta = np.linalg.solve(information, design.X.T @ inverse)
    to_b = cov_yb.T @ inverse @ (np.eye(design.n) - design.X @ to_beta)
    np.testing.assert_allclose(fit.hat_values, np.diag(design.X @ to_beta + design.Z @ to_b), rtol=1e-9)


def test_varcorr_is_tidy(sleep):
    table = sleep.varcorr
    assert list(table.columns) == ["group", "coef", "coef2", "kind", "value"]
    value = table.set_index(["group", "kind", "coef"])["value"]
    assert value["Subject", "cov", "Intercept"] == pytest.approx(
        value["Subject", "cor", "Intercept"]
        * value["Subject", "sd", "Intercept"]
        * value["Subject", "sd", "Days"]
    )
    assert table.iloc[-2:]["group"].tolist() == ["Residual", "Residual"]


def test_summary_reads_like_lme4s(sleep, singular):
    text = str(sleep.summary())
    for line in (
        "Linear mixed model fit by REML",
        "Formula: Reaction ~ Days + (Days | Subject)",
        "Number of obs: 180; Subject: 18 levels",
        "Days        10.4673      1.5458  17.00    6.771  < 0.001",
        "-3.9536  -0.4634  0.0231  0.4634  5.1793",
        "Days    -0.138",
    ):
        assert line in text
    assert "<pre>" in sleep._repr_html_()
    assert "singular fit: Batch" in str(singular.summary())
    assert "1743.6283" in repr(sleep)


def test_results_pickle_and_copy(sleep):
    sleep.estimates()
    for other in (pickle.loads(pickle.dumps(sleep)), copy.deepcopy(sleep), copy.copy(sleep)):
        assert "varcorr" not in other.__dict__
        pd.testing.assert_frame_equal(other.estimates(ranef=True).frame, sleep.estimates(ranef=True).frame)
        assert (
            other.predict({"Days": [3], "Subject": ["308"]}).tolist()
            == sleep.predict({"Days": [3], "Subject": ["308"]}).tolist()
        )


def test_predictions_of_the_fitted_rows_are_the_fitted_values(pastes):
    np.testing.assert_allclose(pastes.predict(), pastes.fitted, rtol=1e-13)
    np.testing.assert_allclose(pastes.predict(load_dataset("Pastes")), pastes.fitted, rtol=1e-13)


def test_parts_of_a_prediction_add_up(pastes):
    parts = [
        pastes.predict(random=[group]) - pastes.predict(random="none") for group in ("batch", "batch:cask")
    ]
    np.testing.assert_allclose(sum(parts, pastes.predict(random="none")), pastes.predict(), rtol=1e-12)


def test_single_effects_can_be_chosen(sleep):
    rows = load_dataset("sleepstudy").iloc[:3]
    both = sleep.predict(rows, random=["Subject: Intercept", "Subject: Days"])
    pd.testing.assert_series_equal(both, sleep.predict(rows))


def test_population_prediction_needs_no_group(sleep):
    frame = sleep.predict({"Days": [2.0]}, random="none", interval="prediction", prob=0.9)
    x = np.array([1.0, 2.0])
    T = sleep.varcorr.query("group == 'Subject'").set_index(["kind", "coef"])["value"]
    spread = T["var", "Intercept"] + 4 * T["var", "Days"] + 4 * T["cov", "Intercept"]
    expected = np.sqrt(x @ sleep.vcov_values @ x + spread + sleep.sigma**2)
    assert frame["se"].iloc[0] == pytest.approx(expected, rel=1e-10)
    assert frame["upper"].iloc[0] - frame["prediction"].iloc[0] == pytest.approx(
        1.6448536 * expected, rel=1e-6
    )


def test_confidence_of_a_known_level_is_its_prediction_error(pastes):
    """x'β̂ + z'b̂ of one batch and cask, against dense algebra."""
    V, Lambda = dense_marginal(pastes, pastes.theta_values)
    design, inverse = pastes.design, np.linalg.inv(V)
    Z = design.Z.toarray()
    C = Z @ Lambda @ Lambda.T @ Z.T
    left = design.X - C @ inverse @ design.X
    expected = C - C @ inverse @ C + left @ np.linalg.inv(design.X.T @ inverse @ design.X) @ left.T
    found = pastes.predict(interval="confidence")["se"]
    np.testing.assert_allclose(found, pastes.sigma * np.sqrt(np.diag(expected)), rtol=1e-10)


def test_new_levels(sleep):
    new = {"Days": [0.0, 9.0, 0.0], "Subject": ["nobody", "nobody", "someone"]}
    with pytest.raises(DataError, match="'nobody' of grouping factor 'Subject'"):
        sleep.predict(new)
    population = sleep.predict(new, new_levels="population")
    assert population.tolist() == pytest.approx([251.4051, 345.6107, 251.4051], rel=1e-6)
    drawn = sleep.predict(new, new_levels="draw", seed=4)
    assert drawn.tolist() == sleep.predict(new, new_levels="draw", seed=4).tolist()
    assert drawn[0] != drawn[2]
    draws = np.array([sleep.predict(new, new_levels="draw", seed=seed)[0] for seed in range(400)])
    sd = sleep.varcorr["value"].iloc[0]
    assert draws.std() == pytest.approx(sd, rel=4 / np.sqrt(800))


def test_an_interval_holds_the_variance_of_an_unseen_level_not_a_draw(sleep):
    new = {"Days": 9.0, "Subject": "nobody"}
    for interval in ("confidence", "prediction"):
        found = [sleep.predict(new, "all", levels, interval) for levels in ("population", "draw")]
        pd.testing.assert_frame_equal(*found)


def test_rows_with_missing_values_are_not_predicted(sleep):
    answer = sleep.predict(pd.DataFrame({"Days": [1.0, np.nan], "Subject": ["308", "308"]}, index=["a", "b"]))
    assert list(answer.index) == ["a", "b"]
    assert np.isnan(answer["b"])
    assert np.isfinite(answer["a"])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"random": "Subjct"}, "did you mean 'Subject'"),
        ({"random": ["Subject: Day"]}, "Subject: Days"),
        ({"interval": "credible"}, "choices"),
        ({"new_levels": "zero"}, "choices"),
        ({"prob": 95}, "between 0 and 1"),
        ({"random": None}, "'none' \\(the population"),
        ({"random": [3]}, "names of groups and effects"),
        ({"weights": [1.0]}, "weights= is for new rows"),
        ({"offset": "Days"}, "offset= is for new rows"),
    ],
)
def test_predict_refuses(sleep, options, message):
    with pytest.raises(OptionError, match=message):
        sleep.predict(**options)


def test_simulated_responses_have_the_model_s_moments(sleep):
    draws = sleep.simulate(4000, seed=1)
    assert draws.shape == (180, 4000)
    V, _ = dense_marginal(sleep, sleep.theta_values)
    mean = sleep.design.X @ sleep.beta_values
    sd = sleep.sigma * np.sqrt(np.diag(V))
    assert np.abs((draws.mean(axis=1) - mean) / sd).max() < 4.5 / np.sqrt(4000)
    assert np.abs(draws.std(axis=1) / sd - 1).max() < 4.5 / np.sqrt(8000)
    pd.testing.assert_frame_equal(draws, sleep.simulate(4000, seed=1))


def test_refit_to_the_same_response_is_the_same_fit(sleep):
    other = sleep.refit(sleep.design.y)
    assert other.criterion_value == sleep.criterion_value
    with pytest.raises(OptionError, match="180 finite values"):
        sleep.refit([1.0, 2.0])


def test_two_fits_of_one_model_are_two_objects(fitter):
    one = fitter("Yield ~ 1 + (1 | Batch)", "Dyestuff")
    other = fitter("Yield ~ 1 + (1 | Batch)", "Dyestuff", "ML")
    assert one == one
    assert one != other
    assert len({one, other, one}) == 2

"""Residuals of every kind, simulated ones, plots and the checkup."""

import warnings

import numpy as np
import pandas as pd
import pytest

import bayeslmm as bl
from bayeslmm.errors import BayesLMMWarning, DataError, OptionError
from bayeslmm.likelihood.diagnostics.panels import quantile_panels, standardized_effects


@pytest.fixture(scope="module")
def fit():
    data = bl.load_dataset("sleepstudy").assign(w=lambda frame: 1.0 + frame.reset_index().index % 3)
    return bl.LinearMixedModel("Reaction ~ Days + (Days | Subject)", data, weights="w").fit()


@pytest.fixture(scope="module")
def V(fit):
    model = bl.LinearMixedModel(
        "Reaction ~ Days + (Days | Subject)",
        bl.load_dataset("sleepstudy").assign(w=lambda frame: 1.0 + frame.reset_index().index % 3),
        weights="w",
    )
    return model.V(fit.theta_values, fit.sigma)


def test_residuals_are_over_their_dense_standard_deviations(fit, V):
    X, y, R = fit.design.X, fit.design.y, fit.sigma**2 * np.diag(fit.design.residual.variances())
    marginal = y - X @ fit.beta_values
    vcov = np.linalg.inv(X.T @ np.linalg.solve(V, X))
    P = np.linalg.inv(V) - np.linalg.solve(V, X) @ vcov @ np.linalg.solve(V, X).T
    expected = {
        ("response", "conditional"): R @ P @ y,
        ("pearson", "conditional"): R @ P @ y / np.sqrt(np.diag(R)),
        ("standardized", "conditional"): R @ P @ y / np.sqrt(np.diag(R @ P @ R)),
        ("response", "marginal"): marginal,
        ("pearson", "marginal"): marginal / np.sqrt(np.diag(V)),
        ("standardized", "marginal"): marginal / np.sqrt(np.diag(V - X @ vcov @ X.T)),
    }
    for (kind, level), values in expected.items():
        found = fit.residuals_of(kind, level=level)
        np.testing.assert_allclose(found, values, rtol=1e-6, atol=1e-8)
        assert found.index.equals(fit.residuals.index)
    np.testing.assert_array_equal(fit.residuals_of(), fit.residuals)


def test_effects_are_over_their_dense_standard_deviations(fit, V):
    X, Z = fit.design.X, fit.design.Z.toarray()
    vcov = np.linalg.inv(X.T @ np.linalg.solve(V, X))
    P = np.linalg.inv(V) - np.linalg.solve(V, X) @ vcov @ np.linalg.solve(V, X).T
    factor = fit.sigma * fit.design.covariance.factors(fit.theta_values)[0]
    T = np.kron(np.eye(18), factor @ factor.T)
    sd = np.sqrt(np.diag(T @ Z.T @ P @ Z @ T))
    found = np.column_stack([each.values for each in standardized_effects(fit)]).ravel()
    np.testing.assert_allclose(found, fit.b / sd, rtol=1e-6)


def test_simulated_residuals_of_the_model_itself_are_uniform_and_of_another_are_not():
    rng = np.random.default_rng(3)
    g = np.repeat(np.arange(20), 10)
    x = rng.normal(size=200)
    mean = 1 + 2 * x + rng.normal(size=20)[g]
    for noise, small in ((rng.normal(size=200), False), (rng.standard_t(1.5, size=200), True)):
        data = pd.DataFrame({"y": mean + noise, "x": x, "g": g.astype(str)})
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", BayesLMMWarning)
            found = bl.LinearMixedModel("y ~ x + (1 | g)", data).fit().simulated_residuals(200, seed=1)
        assert (found.tests["p"].min() < 0.01) == small
        assert found.scaled.between(0, 1, inclusive="neither").all()


def test_p_values_of_simulated_residuals_are_uniform_under_the_model():
    """Rows of a level go together: a test that took them as independent would reject far too often."""
    rng, p = np.random.default_rng(5), []
    g = np.repeat(np.arange(6), 10).astype(str)
    for seed in range(40):
        y = 2.0 * np.repeat(rng.normal(size=6), 10) + rng.normal(size=60)
        data = pd.DataFrame({"y": y, "g": g})
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", BayesLMMWarning)
            fit = bl.LinearMixedModel("y ~ 1 + (1 | g)", data).fit()
        p.append(fit.simulated_residuals(60, seed).tests["p"])
    rejected = (pd.DataFrame(p) < 0.05).mean()
    assert (rejected <= 0.15).all()


def test_the_same_seed_gives_the_same(fit):
    first, second = (fit.simulated_residuals(50, seed=4) for _ in range(2))
    pd.testing.assert_series_equal(first.scaled, second.scaled)
    assert "uniformity" in first.to_markdown()
    assert len(first.plot().data) >= 5


def test_plots_show_rows_and_effects(fit):
    assert [title.text for title in fit.plot_qq().layout.annotations] == [
        "<b>Residuals</b>",
        "<b>Subject: Intercept</b>",
        "<b>Subject: Days</b>",
    ]
    rows = fit.plot_residuals().data[0]
    np.testing.assert_array_equal(rows.x, fit.fitted)
    np.testing.assert_array_equal(rows.y, fit.residuals_of("standardized"))
    panel = quantile_panels(fit)[0]
    assert (panel.lower < panel.upper).all()
    assert (np.diff(panel.found) >= 0).all()
    dots = next(trace for trace in fit.plot_ranef().data if trace.xaxis == "x2")
    own = fit.ranef()["Subject"]["Days"]
    assert dots.text[-1] == own.idxmax()
    assert dots.x[-1] == own.max()


def test_effects_are_marginal_means_over_the_data(fit):
    figure = fit.plot_effects("Days")
    line = figure.data[2]
    mean = fit.marginal_means("Days", at={"Days": [0, 9]}, ddf="satterthwaite").table
    np.testing.assert_allclose([line.y[0], line.y[-1]], mean["estimate"])
    np.testing.assert_allclose(figure.data[1].y[[0, -1]], mean["upper"].iloc[0] * np.ones(2), rtol=0.2)
    np.testing.assert_array_equal(figure.data[0].y, fit.design.y)
    with pytest.raises(OptionError, match="variable of the fixed part 'days'"):
        fit.plot_effects("days")


def test_a_factors_effects_are_points():
    fit = bl.LinearMixedModel("yield ~ nitro + Variety + (1 | Block)", bl.load_dataset("Oats")).fit()
    figure = fit.plot_effects("Variety")
    assert figure.layout.xaxis.ticktext == ("Golden Rain", "Marvellous", "Victory")
    np.testing.assert_allclose(figure.data[1].y, fit.marginal_means("Variety").table["estimate"])


def test_the_checkup_names_what_was_planted():
    rng = np.random.default_rng(8)
    g = np.repeat(np.arange(25), 8)
    x = rng.normal(size=200)
    b = rng.normal(size=25)
    b[7] = 9.0
    y = np.exp(0.4 * (x + b[g].clip(-2, 2))) * 3 + b[g] + np.exp(0.4 * x) * rng.normal(size=200)
    y[11] += 30
    nearly = x + 1e-3 * rng.normal(size=200)
    data = pd.DataFrame({"y": y, "x": x, "nearly": nearly, "g": [f"g{i}" for i in g]})
    found = bl.LinearMixedModel("y ~ x + nearly + (1 | g)", data).fit().check()
    assert not found.fine
    assert "of row 11" in found["largest residual"].sentence
    assert "grows with the fitted values" in found["spread"].sentence
    assert "of level g7" in found["g: Intercept"].sentence
    assert "others nearly determine it" in found["collinearity"].sentence
    assert found.headline.startswith("Look at")
    assert "look  collinearity" in repr(found)


def test_a_singular_fit_is_said(singular):
    found = singular.check()
    assert "singular" in found["convergence"].sentence
    assert found["convergence"].word == "look"


def test_a_model_without_groups_can_be_looked_at():
    fit = bl.LinearMixedModel("Reaction ~ Days", bl.load_dataset("sleepstudy")).fit()
    assert "influence" not in fit.check().to_frame().index
    assert len(fit.plot_qq().layout.annotations) == 1
    with pytest.raises(DataError, match="no random effects to draw"):
        fit.plot_ranef()


def test_options_are_checked(fit):
    with pytest.raises(OptionError, match="kind 'pearsons' isn't known; did you mean 'pearson'"):
        fit.residuals_of("pearsons")
    with pytest.raises(OptionError, match="level 'fixed' isn't known"):
        fit.residuals_of(level="fixed")
    with pytest.raises(OptionError, match="n is a whole number of at least 20"):
        fit.simulated_residuals(5)
    with pytest.raises(OptionError, match="seed is a whole number of at least 0, got 'a'"):
        fit.check(30, seed="a")
    for verb in (fit.estimates, fit.plot_ranef, fit.tidy):
        with pytest.raises(OptionError, match="prob is 2; a probability lies between 0 and 1"):
            verb(prob=2)


def test_rows_elsewhere_have_no_residuals_here(tmp_path):
    path = tmp_path / "rows.parquet"
    bl.load_dataset("sleepstudy").to_parquet(path)
    fit = bl.LinearMixedModel("Reaction ~ Days + (1 | Subject)", path).fit()
    for verb in (fit.residuals_of, fit.simulated_residuals, fit.check, fit.augment, fit.plot_residuals):
        with pytest.raises(DataError, match="aren't in memory"):
            verb()

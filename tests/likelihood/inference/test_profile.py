from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import bayeslmm as bl
from bayeslmm.errors import OptionError
from bayeslmm.likelihood.fit import LikelihoodFit
from bayeslmm.likelihood.inference.profile.held import Held
from bayeslmm.likelihood.inference.profile.of_covariance import HeldCor
from bayeslmm.likelihood.inference.profile.pairs import pair_pictures
from bayeslmm.likelihood.inference.profile.parameters import parameters
from bayeslmm.likelihood.inference.profile.profile import natural_values

FITS = {
    "one factor": ("Reaction ~ Days + (Days | Subject)", "sleepstudy", "w", None),
    "three coefs": ("score ~ Machine + (Machine | Worker)", "Machines", None, None),
    "nested": ("strength ~ 1 + (1 | batch / cask)", "Pastes", None, None),
    "one correlation": ("score ~ Machine + cs(0 + Machine | Worker)", "Machines", None, None),
    "known sigma": ("Reaction ~ Days + (Days | Subject)", "sleepstudy", None, 25.0),
    "no group": ("Reaction ~ Days", "sleepstudy", None, None),
}


C, V = bl.correlation, bl.variance
RESIDUALS = {
    "autoregression beside an intercept": (C.AR1("t | g"), None),
    "a power, a stratum each": (None, V.Power("w", by="s")),
    "any matrix, an sd a visit": (C.Unstructured("visit | g"), V.Ident("visit")),
    "two parameters of one function": (C.ARMA("t | g", p=1, q=1), None),
}


def of_residual(correlation: object, variance: object) -> LikelihoodFit:
    rng = np.random.default_rng(5)
    g, t = np.repeat(np.arange(24), 5), np.tile(np.arange(5), 24)
    e = np.cumsum(rng.normal(size=(24, 5)), axis=1).ravel() * 0.5 + rng.normal(size=120)
    data = pd.DataFrame({"g": g, "t": t, "visit": t % 3, "w": 1.0 + t + rng.uniform(size=120)})
    data["h"], data["s"] = np.tile(list("pqrstuvw"), 15), np.repeat(["a", "b"], 60)
    data["y"] = 2 + 0.3 * t + e * data["w"] ** 0.3 + 2 * rng.normal(size=8)[np.tile(np.arange(8), 15)]
    some = data[data["t"] < 3] if isinstance(correlation, C.Unstructured) else data
    model = bl.LinearMixedModel("y ~ t + (1 | h)", some, correlation=correlation, variance=variance)
    return model.fit("ML")


@pytest.fixture(params=[*FITS, *RESIDUALS], scope="module")
def fit(request: pytest.FixtureRequest, fitter) -> LikelihoodFit:
    if request.param in RESIDUALS:
        return of_residual(*RESIDUALS[request.param])
    formula, data, weights, sigma = FITS[request.param]
    return fitter(formula, data, "ML", sigma, weights)


def each(fit: LikelihoodFit) -> list[Held]:
    return [held for held in parameters(fit) if not held.reason]


def test_held_at_its_estimate_nothing_changes(fit: LikelihoodFit) -> None:
    for held in each(fit):
        solution = held.solve(held.estimate, held.start)
        assert solution.deviance == pytest.approx(fit.criterion_value, abs=1e-7), held.label


def test_held_parameter_has_its_value_and_no_slope_is_left(fit: LikelihoodFit) -> None:
    labels = list(fit.estimates().frame.index)
    for held in each(fit):
        value = held.estimate + 0.4 * held.step
        solution = held.solve(value, held.start)
        values = natural_values(fit, solution)
        assert values[labels.index(held.label)] == pytest.approx(value, rel=1e-9), held.label
        assert solution.deviance > fit.criterion_value
        _, slope = held.at(value, solution.x)
        assert np.abs(slope * held.scale).max(initial=0.0) < 1e-4, held.label


def test_slopes_are_differences(fit: LikelihoodFit) -> None:
    rng = np.random.default_rng(3)
    for held in each(fit):
        x = held.start * (1 + 0.1 * rng.random(len(held.start)))
        value = held.estimate + 0.3 * held.step
        _, slope = held.at(value, x)
        for place, size in enumerate(1e-5 * held.scale):
            step = size * np.eye(len(x))[place]
            rise = held.at(value, x + step)[0].deviance - held.at(value, x - step)[0].deviance
            assert slope[place] * size * 2 == pytest.approx(rise, rel=1e-4, abs=1e-7), held.label


def test_limits_are_where_the_deviance_says(fitter) -> None:
    fit = fitter("Reaction ~ Days + (Days | Subject)", "sleepstudy")
    profile = fit.profile()
    table = profile.confint(0.9)
    cut = stats.chi2.ppf(0.9, 1)
    for label, curve in profile.curves.items():
        for value in table.loc[label]:
            found = curve.held.solve(value, curve.held.start).deviance
            assert found - curve.minimum == pytest.approx(cut, abs=1e-6), label
    assert list(table.columns) == ["lower", "upper"]
    assert "90 % profile-likelihood intervals (ML)" in str(table)


@pytest.mark.parametrize(
    ("label", "correlation"),
    [
        ("phi[AR1]", C.AR1("t | g")),
        ("phi[CAR1]", C.CAR1("t | g")),
        ("phi[CompoundSymmetry]", C.CompoundSymmetry("1 | g")),
        ("phi[Gaussian]", C.Gaussian("t | g")),
    ],
)
def test_limits_of_the_residuals_own_are_those_of_fits_that_hold_it(label: str, correlation: C.AR1) -> None:
    """A structure that is held at a limit has the deviance that the profile says, in a fit of its own."""
    limits = of_residual(correlation, None).profile([label]).confint(0.9).loc[label]
    least = of_residual(correlation, None).criterion_value
    for limit in limits:
        held = of_residual(replace(correlation, start=limit, fixed=True), None)
        assert held.criterion_value - least == pytest.approx(stats.chi2.ppf(0.9, 1), abs=1e-6)


def test_the_first_levels_sd_is_sigma() -> None:
    limits = of_residual(None, V.Ident("s")).profile(["sd[s: a]", "sigma"]).confint()
    np.testing.assert_allclose(limits.loc["sd[s: a]"], limits.loc["sigma"], rtol=1e-6)


def test_a_range_that_reaches_its_end_is_told() -> None:
    """Independent rows: the deviance at no correlation at all is below the cut."""
    rng = np.random.default_rng(2)
    data = pd.DataFrame({"g": np.repeat(np.arange(8), 5), "t": np.tile(np.arange(5), 8)})
    data["y"] = rng.normal(size=40)
    table = bl.LinearMixedModel("y ~ 1", data, correlation=C.CAR1("t | g")).fit().confint("profile")
    assert table.loc["phi[CAR1]", "lower"] == 0
    assert "phi[CAR1], lower limit" in str(table.attrs["notes"])


def test_a_level_whose_sd_is_known_has_no_profile() -> None:
    data = bl.load_dataset("Orthodont")
    fit = bl.LinearMixedModel("distance ~ age", data, variance=V.Ident("Sex"), sigma=2.0).fit("ML")
    table = fit.confint("profile")
    known, free = table.filter(like="sd[Sex", axis=0).to_numpy()
    assert np.isnan(known).all()
    assert free[0] < fit.residual_parameters["value"].iloc[1] < free[1]


def test_a_variance_of_fitted_values_has_no_profile() -> None:
    with pytest.raises(OptionError, match="no likelihood of its own to profile"):
        of_residual(None, V.Power(of="fitted")).profile()


def test_least_squares_in_closed_form(fitter) -> None:
    """Without groups n log(1 + t²/(n − p)) is the rise for a coefficient."""
    fit = fitter("Reaction ~ Days", "sleepstudy")
    limits = fit.confint("profile").loc["beta[Days]"]
    n, p = 180, 2
    t = np.sqrt((np.exp(stats.chi2.ppf(0.95, 1) / n) - 1) * (n - p))
    half = t * fit.se["Days"]
    expected = [fit.beta["Days"] - half, fit.beta["Days"] + half]
    np.testing.assert_allclose(limits, expected, rtol=1e-8)
    np.testing.assert_allclose(fit.profile("beta[Days]").confint().loc["beta[Days]"], expected, rtol=1e-8)


def test_boundaries_are_told(singular: LikelihoodFit, fitter) -> None:
    table = singular.confint("profile")
    assert table.loc["sd[Batch: Intercept]", "lower"] == 0
    assert np.isfinite(table.to_numpy()).all()
    assert table.attrs["notes"] == ("sd[Batch: Intercept], lower limit: the deviance at 0 is below the cut",)
    without = fitter("yield ~ nitro + Variety + (nitro | Block) + (1 | Block:Variety)", "Oats")
    table = without.confint("profile")
    assert not np.isinf(table.to_numpy()).any()
    assert table.loc["cor[Block: Intercept, nitro]"].tolist() == [-1, 1]


def test_correlation_of_nothing(fitter) -> None:
    fit = fitter("Yield ~ 1 + (1 | Batch)", "Dyestuff2")
    assert not [held for held in parameters(fit) if isinstance(held, HeldCor)]


def test_correlations_keep_their_sign(fitter) -> None:
    """No limit is the other's mirror image: lengths that changed their sign would make it so."""
    fit = fitter("score ~ Machine + (Machine | Worker)", "Machines", "ML")
    lower, upper = fit.confint("profile").loc["cor[Worker: Machine[T.B], Machine[T.C]]"]
    assert lower == pytest.approx(-0.511, abs=1e-3)
    assert upper == pytest.approx(0.825, abs=1e-3)


def test_chosen_parameters(sleep: LikelihoodFit) -> None:
    profile = sleep.profile(["sigma"], n_points=3)
    assert list(profile.confint().index) == ["sigma"]
    assert len(profile.table) == 7
    assert np.all(np.diff(profile.table["zeta"]) > 0)
    assert "sigma" in repr(profile)
    assert "sigma" in profile._repr_html_()


@pytest.mark.parametrize(
    ("options", "message"),
    [({"labels": ["sgima"]}, "did you mean 'sigma'"), ({"n_points": 1}, "at least 2")],
)
def test_bad_profiles(sleep: LikelihoodFit, options: dict[str, object], message: str) -> None:
    with pytest.raises(OptionError, match=message):
        sleep.profile(**options)


def test_contours_touch_the_traces() -> None:
    """Of a quadratic deviance with correlation r they are ellipses, and the traces straight."""
    r, z = 0.6, np.linspace(-4, 4, 41)
    rows = [("x", a, 0.0, a, r * a) for a in z] + [("y", a, 0.0, r * a, a) for a in z]
    table = pd.DataFrame(rows, columns=["parameter", "zeta", "deviance", "x", "y"])
    (picture,) = pair_pictures(table, ["x", "y"], (0.5, 0.95))
    for prob, ring in picture.contours.items():
        x, y = ring.T
        distance = (x**2 - 2 * r * x * y + y**2) / (1 - r**2)
        np.testing.assert_allclose(distance, stats.chi2.ppf(prob, 2), rtol=1e-6)


def test_contours_are_as_symmetric_as_the_model(fitter) -> None:
    """Balanced data don't tell which way a mean is wrong, so nor does the sd's contour."""
    fit = fitter("Yield ~ 1 + (1 | Batch)", "Dyestuff")
    labels = ["beta[Intercept]", "sd[Batch: Intercept]"]
    (picture,) = pair_pictures(fit.profile(n_points=12).table, labels, (0.5,))
    x, y = picture.contours[0.5].T
    centre = fit.beta["Intercept"]
    assert np.max(x) - centre == pytest.approx(centre - np.min(x), rel=1e-3)
    at_right, at_left = y[np.argmax(x)], y[np.argmin(x)]
    assert at_right == pytest.approx(at_left, rel=0.02)


def test_plots_have_a_panel_for_each(fitter) -> None:
    profile = fitter("Yield ~ 1 + (1 | Batch)", "Dyestuff").profile(n_points=3)
    assert len(profile.plot().layout.annotations) == 3
    assert len(profile.plot_pairs(["sigma", "beta[Intercept]"]).layout.annotations) == 1
    with pytest.raises(OptionError, match="at least two"):
        profile.plot_pairs(["sigma"])


@pytest.mark.parametrize("method", ["wald", "profile", "bootstrap"])
def test_intervals_have_one_shape(method: str, sleep: LikelihoodFit) -> None:
    table = sleep.confint(method, prob=0.9, n=50, seed=1)
    assert list(table.index) == list(sleep.estimates().frame.index)
    assert list(table.columns) == ["lower", "upper"]
    assert table.index.name == "label"
    assert table.attrs["method"] == method
    assert "90 %" in str(table)


def test_bad_intervals(sleep: LikelihoodFit) -> None:
    with pytest.raises(OptionError, match="did you mean 'profile'"):
        sleep.confint("profil")
    with pytest.raises(OptionError, match="between 0 and 1"):
        sleep.confint("profile", prob=95)


# lme4 1.1-31: confint(profile(m, devtol = 1e-9, maxpts = 400, delta = 0.02))
LME4_ON_DYESTUFF2 = {
    0.8: ((4.79898998851, 6.53221001149), (0, 1.26369066874), (3.12304127479, 4.35232327643)),
    0.95: ((4.31283749288, 7.01836250712), (0, 2.08404787169), (2.89284504255, 4.81583030438)),
    0.99: ((3.73200048517, 7.59919951483), (0, 3.09120821896), (2.70795570329, 5.30935627485)),
}


@pytest.mark.parametrize("prob", LME4_ON_DYESTUFF2)
def test_limits_around_a_variance_of_0_are_those_of_lme4(prob: float, fitter) -> None:
    limits = fitter("Yield ~ 1 + (1 | Batch)", "Dyestuff2", "ML").profile().confint(prob)
    assert list(limits.index) == ["beta[Intercept]", "sd[Batch: Intercept]", "sigma"]
    np.testing.assert_allclose(limits.to_numpy(), LME4_ON_DYESTUFF2[prob], rtol=2e-8)


@pytest.mark.parametrize("label", ["beta[Intercept]", "sigma"])
def test_a_variance_of_0_is_left_where_another_value_is_held(label: str, fitter) -> None:
    fit = fitter("Yield ~ 1 + (1 | Batch)", "Dyestuff2", "ML")
    assert fit.is_singular
    kernel, n = fit.design.kernel, fit.design.n

    def deviance(theta: float, held: float) -> float:
        moments = kernel.moments(np.array([theta]))
        delta = np.linalg.solve(moments.A[:1, :1], moments.A[:1, 1])
        if label != "sigma":
            delta = kernel.to_delta(np.array([held]))
        a = np.append(-delta, 1.0)
        r2 = a @ moments.A @ a
        sigma = held if label == "sigma" else np.sqrt(r2 / n)
        return moments.logdet + n * np.log(2 * np.pi * sigma**2) + r2 / sigma**2

    for limit in fit.profile([label]).confint().loc[label]:
        best = min(deviance(theta, limit) for theta in np.linspace(0, 1, 4001))
        assert best - fit.criterion_value == pytest.approx(3.841458820694124, abs=1e-6)

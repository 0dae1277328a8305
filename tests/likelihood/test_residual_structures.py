"""Fits whose residual has parameters: what is asked of them afterwards, against dense algebra."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

import bayeslmm as bl
from bayeslmm.errors import OptionError
from bayeslmm.likelihood.fit import LikelihoodFit

C, V = bl.correlation, bl.variance
MODELS = {
    "generalized least squares": ("y ~ x", C.AR1("t | g"), None),
    "an intercept a group": ("y ~ x + (1 | g)", C.CAR1("t | g"), V.Power("x")),
    "crossed": ("y ~ x + (1 | c)", C.AR1("t | g"), None),
    "by sums": ("y ~ x + (1 | c)", C.CompoundSymmetry("1 | g"), V.Ident("c")),
    "by patterns": ("y ~ x", C.Toeplitz("t | g"), V.Exp("x")),
}


def rows(n_groups: int = 12, seed: int = 3) -> pd.DataFrame:
    """Six times in each group, correlated; c crossed with groups."""
    rng = np.random.default_rng(seed)
    t, g = np.tile(np.arange(6), n_groups), np.repeat(np.arange(n_groups), 6)
    x, c = rng.uniform(1, 3, len(t)), rng.integers(0, 4, len(t))
    near = 0.6 ** np.abs(np.subtract.outer(np.arange(6), np.arange(6)))
    e = (rng.standard_normal((n_groups, 6)) @ np.linalg.cholesky(near).T).ravel()
    y = 2 + x + 0.7 * rng.standard_normal(n_groups)[g] + 0.8 * rng.standard_normal(4)[c] + e
    return pd.DataFrame({"y": y, "x": x, "t": t, "g": g.astype(str), "c": np.array(list("abcd"))[c]})


@pytest.fixture(params=MODELS)
def fit(request: pytest.FixtureRequest) -> LikelihoodFit:
    return fitted(request.param)


def fitted(name: str, criterion: str = "REML") -> LikelihoodFit:
    formula, correlation, variance = MODELS[name]
    data = rows()
    kept = data[~((data["g"] == "3") & (data["t"] > 3))]
    return bl.LinearMixedModel(formula, kept, correlation=correlation, variance=variance).fit(criterion)


def covariance(fit: LikelihoodFit, data: pd.DataFrame) -> np.ndarray:
    """V of any rows at the estimates, from the rows' own definitions."""
    residual = fit.design.residual
    assert fit.recipe is not None
    made_by = fit.recipe.residual
    assert made_by is not None
    of_rows = residual.of_rows(len(data), made_by.of_rows(data))
    phi = residual.settled_phi
    root = of_rows.unwhiten(np.eye(len(data)), phi)
    V = root @ root.T
    for block, factor in zip(fit.design.blocks, fit.design.covariance.factors(fit.theta_values), strict=True):
        same = data[block.group].to_numpy()[:, None] == data[block.group].to_numpy()
        V = V + factor[0, 0] ** 2 * same
    return fit.sigma**2 * V


def test_new_observations_are_told_by_those_they_are_correlated_with(fit: LikelihoodFit) -> None:
    """The best linear unbiased prediction of rows that were left out, from the joint covariance of "
    "all rows."""
    data = rows()
    new = (data["g"] == "3") & (data["t"] > 3)
    both = pd.concat([data[~new], data[new]])
    V = covariance(fit, both)
    n = int((~new).sum())
    X = np.column_stack([np.ones(len(both)), both["x"]])
    y, inverse = both["y"].to_numpy()[:n], np.linalg.inv(V[:n, :n])
    information = X[:n].T @ inverse @ X[:n]
    beta = np.linalg.solve(information, X[:n].T @ inverse @ y)
    B = V[n:, :n] @ inverse
    expected = X[n:] @ beta + B @ (y - X[:n] @ beta)
    left = X[n:] - B @ X[:n]
    variance = V[n:, n:] - B @ V[:n, n:] + left @ np.linalg.solve(information, left.T)
    found = fit.predict(data[new], interval="prediction")
    assert_allclose(found["prediction"], expected, rtol=1e-9)
    assert_allclose(found["se"], np.sqrt(np.diag(variance)), rtol=1e-9)


def test_the_mean_of_new_rows_knows_no_residual(fit: LikelihoodFit) -> None:
    kept = rows().iloc[:5]
    expected = fit.fitted.loc[kept.index]
    assert_allclose(fit.predict(kept), expected, rtol=1e-12)
    assert_allclose(fit.predict(kept, interval="confidence")["prediction"], expected, rtol=1e-12)


def test_standard_errors_of_phi_are_of_the_curvature(fit: LikelihoodFit) -> None:
    """The inverse of the Hessian of −2ℓ by (x, log σ), by differences of the criterion with σ unprofiled."""
    errors = fit.residual_parameters["se"].to_numpy()
    assert np.all(errors > 0)
    assert np.all(np.isfinite(fit.residual_parameters[["lower", "upper"]]))
    root = fit.theta_sigma.x_root
    found = fit.residual_natural.slopes @ root[fit.design.n_theta :]
    assert_allclose(errors, np.linalg.norm(found, axis=1))
    assert set(fit.residual_parameters["name"]) <= set(fit.estimates().frame.index)


@pytest.mark.parametrize(
    "name",
    ["generalized least squares", *(pytest.param(each, marks=pytest.mark.slow) for each in list(MODELS)[1:])],
)
def test_refits_move_phi(name: str) -> None:
    fit = fitted(name)
    again = fit.refit(fit.design.y)
    assert_allclose(again.optimum.x, fit.optimum.x, atol=1e-4)
    responses = fit.simulate(2, seed=1).to_numpy().T
    many = fit.refit_many(responses)
    for i, y in enumerate(responses):
        one = fit.refit(y)
        assert_allclose(many.criterion[i], one.criterion_value, rtol=1e-8)
        assert_allclose(many.phi[i], one.design.residual.settled_phi, atol=1e-3)
    draws = fit.bootstrap(n=3, seed=1, progress=False).draws
    for label in fit.residual_parameters["name"]:
        assert np.ptp(draws[label]) > 0


def test_normalized_residuals_are_the_root_of_the_quadratic_form(fit: LikelihoodFit) -> None:
    residual, e = fit.design.residual, fit.residuals.to_numpy()
    root = residual.unwhiten(np.eye(len(e)))
    expected = e @ np.linalg.solve(fit.sigma**2 * root @ root.T, e)
    assert_allclose(np.sum(fit.normalized_residuals**2), expected, rtol=1e-9)


def test_degrees_of_freedom_by_differences_of_refits() -> None:
    """Satterthwaite's f(x, log σ) = Var(β̂), moved by hand."""
    fit = fitted("an intercept a group")
    from bayeslmm.likelihood.criterion import Criterion
    from bayeslmm.likelihood.inference.ddf.methods import ddf_of

    moving = Criterion.of(fit.design, True)

    def variance(z: np.ndarray) -> float:
        kernel = moving.kernel_at(moving.coordinates.phi(z[:-1]))
        inverse = kernel.moments(moving.coordinates.flat(z[:-1])).solved.inverse
        root = np.linalg.inv(kernel.R_X)
        return float(np.exp(2 * z[-1]) * (root @ inverse @ root.T)[1, 1])

    z = np.append(fit.optimum.x, np.log(fit.sigma))
    slopes = [(variance(z + e) - variance(z - e)) / 2e-5 for e in 1e-5 * np.eye(len(z))]
    spread = np.sum((np.array(slopes) @ fit.theta_sigma.x_root) ** 2)
    found = ddf_of(fit, "satterthwaite").df(np.array([[0.0, 1.0]]))
    assert_allclose(found, 2 * variance(z) ** 2 / spread, rtol=1e-5)


def test_compound_symmetry_is_an_intercept_a_group() -> None:
    """One model in two places: the same likelihood, coefficients, tests."""
    data = rows()
    by_residual = bl.LinearMixedModel("y ~ x", data, correlation=C.CompoundSymmetry("1 | g")).fit()
    by_effects = bl.LinearMixedModel("y ~ x + (1 | g)", data).fit()
    assert_allclose(by_residual.criterion_value, by_effects.criterion_value, rtol=1e-10)
    assert_allclose(by_residual.vcov, by_effects.vcov, rtol=1e-6)
    for ddf in ("satterthwaite", "kenward-roger"):
        ours, theirs = (each.coef_table(ddf)[["se", "df"]] for each in (by_residual, by_effects))
        assert_allclose(ours, theirs, rtol=1e-4)


@pytest.mark.parametrize(
    "ask",
    [
        lambda model, fit: bl.power_curve(model, test="x", sizes=[1], along="rows", n=3),
        lambda model, fit: bl.calibrate(model, n=3),
        lambda model, fit: bl.exact_rlrt(model.update(". ~ . - (1 | g)"), model),
    ],
)
def test_what_needs_a_known_residual_says_so(ask) -> None:
    model = bl.LinearMixedModel("y ~ x + (1 | g)", rows(), correlation=C.AR1("t | g"))
    with pytest.raises(OptionError, match=r"phi\[AR1\]"):
        ask(model, model.fit())


def test_shares_of_variance_are_means_over_rows(fit: LikelihoodFit) -> None:
    expected = fit.sigma**2 * np.mean(fit.design.residual.variances())
    assert_allclose(fit.variance_decomposition().frame.loc["variance[residual]", "estimate"], expected)


def test_cases_are_not_drawn_apart() -> None:
    with pytest.raises(OptionError, match="correlation of the residual"):
        fitted("crossed").bootstrap(n=2, kind="cases", progress=False)


@pytest.mark.slow
def test_a_group_of_a_hundred_thousand_rows() -> None:
    """In time and memory that go with n, on a grid and off it."""
    rng, n = np.random.default_rng(0), 100_000
    for at, structure in [
        (np.arange(n), bl.correlation.AR1("t")),
        (np.cumsum(rng.uniform(0.5, 1.5, n)), bl.correlation.CAR1("t")),
    ]:
        steps = 0.6 ** np.diff(at, prepend=at[0])
        shocks = np.sqrt(1 - steps**2) * rng.standard_normal(n)
        shocks[0], e = rng.standard_normal(), np.empty(n)
        for i, (step, shock) in enumerate(zip(steps, shocks, strict=True)):
            e[i] = step * e[i - 1] * (i > 0) + shock
        frame = pd.DataFrame({"t": at, "x": rng.standard_normal(n)})
        frame["y"] = 1 + 2 * frame["x"] + 3 * e
        fit = bl.LinearMixedModel("y ~ x", frame, correlation=structure).fit()
        row = fit.residual_parameters.iloc[0]
        assert abs(row["value"] - 0.6) < 4 * row["se"]
        assert row["se"] < 0.01


def test_a_correlation_at_the_end_of_its_range_has_no_error_of_zero():
    """Where rows are independent φ runs to 0, and the criterion is flat in its free coordinate."""
    rng = np.random.default_rng(3)
    rows = pd.DataFrame({"plot": np.repeat(np.arange(48), 4), "week": np.tile([0, 2, 4, 8], 48)})
    rows["field"] = rows["plot"] // 6
    effects = rng.normal(size=8)[rows["field"]] * 3 + rng.normal(size=48)[rows["plot"]] * 2
    found = []
    for _ in range(8):
        rows["y"] = effects + 1.5 * rows["week"] + rng.normal(size=len(rows))
        structure = bl.correlation.CAR1("week | plot")
        fit = bl.LinearMixedModel("y ~ week + (1 | field/plot)", rows, correlation=structure).fit()
        found.append(fit.residual_parameters.iloc[0])
    assert any(np.isnan(row["se"]) for row in found)
    assert all(np.isnan(row["se"]) or row["lower"] < row["upper"] for row in found)

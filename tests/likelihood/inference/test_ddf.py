import numpy as np
import pytest
from scipy import stats

import bayeslmm as bl
from bayeslmm.errors import OptionError
from bayeslmm.likelihood.fit import LikelihoodFit
from bayeslmm.likelihood.inference.beta_derivatives import covariance_slopes
from bayeslmm.likelihood.inference.components import components
from bayeslmm.likelihood.inference.ddf.base import DDF
from bayeslmm.likelihood.inference.ddf.kenward_roger import moments
from bayeslmm.likelihood.inference.ddf.methods import ddf_of
from bayeslmm.likelihood.inference.ddf.satterthwaite import pooled
from bayeslmm.likelihood.inference.information import directions, information
from bayeslmm.spec.units import Units

FITS = {
    "one factor": ("Reaction ~ Days + (Days | Subject)", "sleepstudy", None),
    "independent": ("Reaction ~ Days + (Days || Subject)", "sleepstudy", "w"),
    "crossed": ("diameter ~ 1 + (1 | plate) + (1 | sample)", "Penicillin", "w"),
    "nested, weighted": ("strength ~ 1 + (1 | batch / cask)", "Pastes", "w"),
    "singular": ("Yield ~ 1 + (1 | Batch)", "Dyestuff2", None),
    "no group": ("Reaction ~ Days", "sleepstudy", "w"),
    "shared": ("score ~ Machine + cs(0 + Machine | Worker)", "Machines", None),
}


@pytest.fixture(params=list(FITS))
def fit(request: pytest.FixtureRequest, fitter) -> LikelihoodFit:
    formula, data, weights = FITS[request.param]
    return fitter(formula, data, weights=weights)


def dense(fit: LikelihoodFit) -> tuple[np.ndarray, np.ndarray, list[np.ndarray]]:
    """Rows scaled by √w: Q, V⁻¹ in units of σ², and the derivatives of V."""
    design = fit.design
    root = np.sqrt(design.residual.weights)[:, None]
    Q = root * np.linalg.solve(design.kernel.R_X.T, design.X.T).T
    units = Units.at(design.covariance, fit.theta_values)
    Z = root * units.columns(design.Z, [block.n_levels for block in design.blocks]).toarray()
    first = np.cumsum([0, *(block.q for block in design.blocks)])
    G, V = [], np.eye(design.n)
    for each in directions(design.covariance, fit.theta_values, units):
        block = design.blocks[each.block]
        part = Z[:, first[each.block] : first[each.block] + block.q]
        G.append(part @ np.kron(np.eye(block.n_levels), each.E) @ part.T)
        V += each.value * G[-1]
    return Q, np.linalg.inv(V), [*G, np.eye(design.n)]


def test_information_is_that_of_dense_matrices(fit: LikelihoodFit) -> None:
    Q, inverse, G = dense(fit)
    info = information(fit)
    solved = inverse @ Q
    P = np.array([-solved.T @ g @ solved for g in G])
    K = np.array([[np.trace(inverse @ g @ inverse @ h) for h in G] for g in G])
    mixed = np.array([[solved.T @ g @ inverse @ h @ solved for h in G] for g in G])
    for ours, expected in ((info.P, P), (info.K, K), (info.Q, mixed)):
        np.testing.assert_allclose(ours, expected, atol=1e-9 * np.abs(expected).max())
    Phi = np.linalg.inv(Q.T @ solved)
    projected = inverse - solved @ Phi @ solved.T
    y = fit.design.residual.whiten(fit.design.y - fit.design.offset)
    turned = [g @ projected @ y for g in G]
    quadratic = np.array([[2 * g @ projected @ h / fit.sigma**2 for h in turned] for g in turned])
    expected = np.array([[np.trace(projected @ g @ projected @ h) for h in G] for g in G])
    for ours, right in (
        (info.expected(Phi), expected),
        (info.observed(Phi, fit.sigma), quadratic - expected),
    ):
        np.testing.assert_allclose(ours, right, atol=1e-8 * np.abs(right).max())


def test_slopes_of_vcov_are_differences(fit: LikelihoodFit) -> None:
    from bayeslmm.likelihood.optimum import Optimum

    units, root = Units.at(fit.design.covariance, fit.theta_values), np.linalg.inv(fit.design.kernel.R_X)
    slopes = root @ covariance_slopes(fit, units) @ root.T
    for place, step in enumerate(1e-5 * units.basis.T):
        sides = []
        for theta in (fit.theta_values + step, fit.theta_values - step):
            near = LikelihoodFit(fit.design, fit.options, Optimum(theta, 0.0, fit.convergence))
            sides.append(near.vcov_values / near.sigma**2)
        expected = fit.sigma**2 * (sides[0] - sides[1]) / 2e-5
        np.testing.assert_allclose(slopes[place], expected, atol=1e-6 * np.abs(fit.vcov_values).max())
    np.testing.assert_allclose(slopes[-1], 2 * fit.vcov_values, rtol=1e-12)


def test_components_cover_all_effects_once(fit: LikelihoodFit) -> None:
    groups = list(
        components(fit.design, Units.at(fit.design.covariance, fit.theta_values), np.ones((fit.design.n, 1)))
    )
    assert sum(group.N.shape[0] * group.N.shape[1] for group in groups) == fit.design.q


@pytest.mark.parametrize("keyword", DDF.kinds())
def test_one_row_is_the_square_of_its_t(keyword: str, fit: LikelihoodFit) -> None:
    method = ddf_of(fit, keyword)
    row = np.ones((1, fit.design.p))
    difference = row @ fit.beta_values
    test = method.test(row, difference)
    t = difference[0] / np.sqrt(row[0] @ method.vcov @ row[0])
    np.testing.assert_allclose([test.F, test.den_df], [t**2, method.df(row)[0]], rtol=1e-9)
    np.testing.assert_allclose(test.p, 2 * stats.t.sf(abs(t), test.den_df), rtol=1e-9)


@pytest.mark.parametrize("keyword", DDF.kinds())
def test_repeated_rows_test_nothing_new(keyword: str, sleep: LikelihoodFit) -> None:
    method: DDF = ddf_of(sleep, keyword)
    L = np.array([[0.0, 1.0], [0.0, 1.0], [1.0, 0.0]])
    repeated, plain = (method.test(rows, rows @ sleep.beta_values) for rows in (L, L[1:]))
    assert repeated.num_df == plain.num_df == 2
    assert pytest.approx(plain.F, rel=1e-9) == repeated.F


@pytest.mark.parametrize("keyword", ["satterthwaite", "kenward-roger", "residual"])
def test_least_squares_is_exact(keyword: str, fitter) -> None:
    fit = fitter("Reaction ~ Days", "sleepstudy")
    method = ddf_of(fit, keyword)
    test = method.test(np.eye(2), fit.beta_values)
    np.testing.assert_allclose(method.df(np.eye(2)), 178, rtol=1e-9)
    np.testing.assert_allclose([test.den_df, test.scale], [178, 1], rtol=1e-9)
    np.testing.assert_allclose(method.vcov, fit.vcov_values, rtol=1e-9)


def test_a_known_sigma_has_no_residual_degrees_of_freedom(fitter) -> None:
    fit = fitter("Reaction ~ Days + (Days | Subject)", "sleepstudy", sigma=25.0)
    assert np.isinf(fit.coef_table(ddf="residual")["df"]).all()
    for ddf in ("satterthwaite", "kenward-roger"):
        # all variance of the balanced slope is between subjects
        assert fit.coef_table(ddf=ddf)["df"]["Days"] == pytest.approx(17, rel=0.1)


def test_pooled_degrees_of_freedom() -> None:
    assert pooled(np.array([7.0, 7.0])) == 7.0
    assert pooled(np.array([1.5, 90.0])) == 2.0
    assert pooled(np.array([4.0, 6.0])) == pytest.approx(2 * 3.5 / 1.5)
    assert np.isinf(pooled(np.array([np.inf, np.inf])))


def test_nothing_to_estimate_means_no_correction() -> None:
    assert moments(3, 0.0, 0.0) == (1.0, np.inf)


def test_table_says_its_method(sleep: LikelihoodFit) -> None:
    table = sleep.coef_table(ddf="kenward-roger", prob=0.9)
    assert table.attrs["ddf"] == "kenward-roger"
    assert "Kenward-Roger" in str(table)
    assert "90 %" in table._repr_html_()
    assert list(table.columns) == ["estimate", "se", "df", "t", "p", "lower", "upper"]
    assert list(table.index) == ["Intercept", "Days"]


def test_bad_options(sleep: LikelihoodFit, fitter) -> None:
    with pytest.raises(OptionError, match="did you mean 'satterthwaite'"):
        sleep.coef_table(ddf="satterthwait")
    with pytest.raises(OptionError, match="between 0 and 1"):
        sleep.coef_table(prob=95)
    with pytest.raises(OptionError, match=r"by ML: use model.fit\('REML'\)"):
        fitter("Reaction ~ Days + (Days | Subject)", "sleepstudy", "ML").coef_table(ddf="kenward-roger")


@pytest.mark.parametrize("keyword", DDF.kinds())
def test_no_fixed_effects_no_rows(keyword: str, fitter) -> None:
    assert len(fitter("Reaction ~ 0 + (Days | Subject)", "sleepstudy").coef_table(ddf=keyword)) == 0


@pytest.mark.parametrize("unit", [1e-140, 1e140])
def test_degrees_of_freedom_know_no_unit(unit):
    data = bl.load_dataset("sleepstudy")
    plain = bl.LinearMixedModel(FITS["one factor"][0], data).fit()
    other = bl.LinearMixedModel(plain.formula, data.assign(Reaction=unit * data["Reaction"])).fit()
    for method in ("satterthwaite", "kenward-roger"):
        found, expected = (fit.coef_table(ddf=method)["df"] for fit in (other, plain))
        np.testing.assert_allclose(found, expected, rtol=1e-6)

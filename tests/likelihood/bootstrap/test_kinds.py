"""The kinds of bootstrap: what their papers say of one replicate, and that the refits are fits."""

import numpy as np
import pandas as pd
import pytest

from bayeslmm.datasets import load_dataset
from bayeslmm.errors import OptionError
from bayeslmm.likelihood.bootstrap.hierarchy import rows_by_level
from bayeslmm.likelihood.bootstrap.kinds.base import BootstrapKind, ResponseKind
from bayeslmm.likelihood.bootstrap.kinds.cases import Cases
from bayeslmm.likelihood.bootstrap.kinds.random_effects_block import RandomEffectsBlock
from bayeslmm.likelihood.bootstrap.kinds.residual import Residual
from bayeslmm.likelihood.bootstrap.kinds.wild import HCCME, MULTIPLIERS, Wild
from bayeslmm.likelihood.bootstrap.reflate import reflated_effects, reflated_residuals
from bayeslmm.model import LinearMixedModel
from bayeslmm.runs.plan import generator

KINDS = BootstrapKind.kinds()
OF_RESPONSES = [keyword for keyword, kind in KINDS.items() if issubclass(kind, ResponseKind)]


def marginal_residuals(fit):
    return fit.design.y - fit.design.X @ fit.beta_values - fit.design.offset


def refits_match_fits(fit, kind):
    """A kind's compiled refits against whole fits of the same rows, and whether it knows their effects."""
    made = kind.engine(fit, True)([generator(3, i) for i in range(4)])
    assert np.isfinite(made.b).all() == kind.has_effects
    for i in range(4):
        one = made.fit(i)
        whole = fit.refit(one.design.y)
        assert one.criterion_value == pytest.approx(whole.criterion_value, abs=2e-7)
        np.testing.assert_allclose(one.beta_values, whole.beta_values, rtol=1e-4)
        np.testing.assert_allclose(one.fitted, whole.fitted, rtol=1e-3)
        np.testing.assert_allclose(made.refits.beta[i], one.beta_values, rtol=1e-10)


@pytest.mark.parametrize("keyword", OF_RESPONSES)
@pytest.mark.filterwarnings("ignore::bayeslmm.errors.SingularFitWarning")
def test_refits_of_every_kind_are_fits(sleep, keyword):
    refits_match_fits(sleep, KINDS[keyword]())


@pytest.mark.parametrize("keyword", KINDS)
def test_every_kind_keeps_its_numbers_whatever_the_jobs(sleep, keyword):
    one, two = (sleep.bootstrap(n=110, kind=keyword, seed=4, n_jobs=j, progress=False) for j in (1, 2))
    np.testing.assert_array_equal(one.values, two.values)
    assert one.kind == keyword
    assert one.estimates().frame["n_ok"].max() == 110 - one.n_failed
    se = sleep.se["Days"]
    assert one.draws["beta[Days]"].std() == pytest.approx(se, rel=0.35)


# Residual


def test_reflated_effects_are_those_of_cholesky_factors(sleep):
    """Carpenter et al.: A = (L_R L_S⁻¹)ᵀ with S the mean square of centred BLUPs, R the fit's."""
    (effects,) = reflated_effects(sleep.design, sleep.theta_values, sleep.sigma, sleep.b)
    u = sleep.b.reshape(18, 2) - sleep.b.reshape(18, 2).mean(axis=0)
    (factor,) = sleep.design.covariance.factors(sleep.theta_values)
    R = sleep.sigma**2 * factor @ factor.T
    A = (np.linalg.cholesky(R) @ np.linalg.inv(np.linalg.cholesky(u.T @ u / 18))).T
    np.testing.assert_allclose(effects, u @ A, rtol=1e-8)
    np.testing.assert_allclose(effects.T @ effects / 18, R, rtol=1e-10)


def test_reflated_moments_where_a_direction_has_vanished(sleep):
    theta = np.array([1.0, 0.3, 0.0])
    factor = np.array([[1.0, 0.0], [0.3, 0.0]])
    b = np.random.default_rng(1).standard_normal((18, 1)) @ factor[:, :1].T
    (effects,) = reflated_effects(sleep.design, theta, 2.0, b.ravel())
    np.testing.assert_allclose(effects.T @ effects / 18, 4 * factor @ factor.T, atol=1e-12)
    np.testing.assert_allclose(effects.mean(axis=0), 0, atol=1e-12)


def test_reflated_residuals():
    e = reflated_residuals(np.array([1.0, 2.0, 6.0]), 3.0)
    assert e.mean() == pytest.approx(0)
    assert np.mean(e**2) == pytest.approx(9)


def test_residual_rows_draw_whole_levels_and_rows(fitter):
    fit = fitter("strength ~ 1 + (1 | batch / cask)", "Pastes", weights="w")
    sampler = Residual().rows(fit)
    y, b = sampler(generator(1, 0))
    root = np.sqrt(fit.design.residual.weights)
    assert np.isin(((y - fit.design.Z @ b) * root).round(8), sampler.noise.round(8)).all()
    first = fit.design.blocks[0].q
    assert np.isin(b[:first], sampler.effects[0]).all()
    assert np.isin(b[first:], sampler.effects[1]).all()


# Wild


@pytest.mark.parametrize("name", MULTIPLIERS)
def test_multipliers_have_mean_0_and_variance_1(name):
    w = MULTIPLIERS[name](np.random.default_rng(5), 200_000)
    assert w.mean() == pytest.approx(0, abs=4 / np.sqrt(len(w)))
    assert np.mean(w**2) == pytest.approx(1, abs=4 * np.sqrt(2 / len(w)))
    if name == "mammen":
        assert np.mean(w**3) == pytest.approx(1, abs=0.03)
        assert len(np.unique(w)) == 2


@pytest.mark.parametrize("hccme", HCCME)
def test_wild_multiplies_corrected_residuals_group_by_group(sleep, hccme):
    y, b = Wild(hccme=hccme, multiplier="webb").rows(sleep)(generator(1, 0))
    X, v = sleep.design.X, marginal_residuals(sleep)
    leverage = np.diag(X @ np.linalg.inv(X.T @ X) @ X.T)
    w = y * (1 - leverage) ** HCCME[hccme] / v
    by_subject = w.reshape(18, 10)
    np.testing.assert_allclose(by_subject, np.repeat(by_subject[:, :1], 10, axis=1), rtol=1e-8)
    assert 3 < len(np.unique(by_subject[:, 0].round(8))) <= 6
    assert np.isnan(b).all()


def test_wild_takes_the_coarsest_of_nested_factors_and_asks_about_crossed_ones(pastes, fitter):
    assert len(np.unique(Wild().rows(pastes).codes)) == 10
    crossed = fitter("diameter ~ 1 + (1 | plate) + (1 | sample)", "Penicillin")
    with pytest.raises(OptionError, match="crossed"):
        crossed.bootstrap(n=5, kind="wild", progress=False)
    assert crossed.bootstrap(n=5, kind="wild", group="sample", progress=False).n == 5


# Random-effects block


def test_block_splits_by_least_squares_and_keeps_donors_together(sleep):
    sampler = RandomEffectsBlock().rows(sleep)
    np.testing.assert_allclose(
        sleep.design.Z @ sampler.effects.ravel() + sampler.noise, marginal_residuals(sleep), atol=1e-9
    )
    y, b = sampler(generator(1, 0))
    e = y - sleep.design.Z @ b
    donors = [
        np.unique(np.where(np.isclose(e[rows, None], sampler.noise))[1] // 10) for rows in sampler.members
    ]
    assert all(len(donor) == 1 for donor in donors)
    assert len({int(donor[0]) for donor in donors}) > 5


def test_rescaled_block_has_the_fitted_moments(sleep):
    sampler = RandomEffectsBlock(rescaled=True).rows(sleep)
    (factor,) = sleep.design.covariance.factors(sleep.theta_values)
    np.testing.assert_allclose(
        sampler.effects.T @ sampler.effects / 18, sleep.sigma**2 * factor @ factor.T, rtol=1e-9
    )
    assert np.mean(sampler.noise**2) == pytest.approx(sleep.sigma**2)


def test_block_is_for_one_factor(pastes):
    with pytest.raises(OptionError, match="one grouping factor"):
        pastes.bootstrap(n=5, kind="random-effects block", progress=False)


# Cases


@pytest.mark.filterwarnings("ignore::bayeslmm.errors.SingularFitWarning")
@pytest.mark.parametrize("resample", [None, ("batch", "batch:cask"), ("batch:cask", "rows"), "rows"])
def test_cases_are_fits_of_the_data_drawn(pastes, resample):
    """The replicate's data written out as a frame, and fitted from its formula."""
    data = load_dataset("Pastes")
    engine = Cases(resample).engine(pastes, True)
    made = engine([generator(6, i) for i in range(3)])
    for i in range(3):
        one = made.fit(i)
        blocks = {block.group: np.array(block.levels)[block.codes] for block in one.design.blocks}
        frame = pd.DataFrame({"strength": data["strength"].to_numpy()[one.design.rows], **blocks})
        frame = frame.rename(columns={"batch:cask": "both"})
        whole = LinearMixedModel("strength ~ 1 + (1 | batch) + (1 | both)", frame).fit()
        assert one.criterion_value == pytest.approx(whole.criterion_value, abs=1e-7)
        assert made.refits.sigma[i] == pytest.approx(whole.sigma, rel=1e-4)


def test_levels_drawn_twice_are_two_levels(sleep):
    rows, (codes,) = Cases().engine(sleep, True).plan(generator(1, 0))
    subjects = sleep.design.blocks[0].codes[rows]
    assert len(np.unique(codes)) == 18
    assert len(np.unique(subjects)) < 18
    for members in rows_by_level(codes):
        whole = np.flatnonzero(sleep.design.blocks[0].codes == subjects[members[0]])
        np.testing.assert_array_equal(rows[members], whole)
    levels = Cases().engine(sleep, True)([generator(1, 0)]).fit(0).design.blocks[0].levels
    assert len(set(levels)) == 18
    assert any("(2)" in level for level in levels)


def test_rows_may_be_drawn_where_factors_are_crossed(fitter):
    fit = fitter("diameter ~ 1 + (1 | plate) + (1 | sample)", "Penicillin")
    boot = fit.bootstrap(n=10, kind="cases", resample="rows", seed=1, progress=False)
    assert np.isfinite(boot.values).all()
    with pytest.raises(OptionError, match="crossed"):
        fit.bootstrap(n=5, kind="cases", progress=False)


@pytest.mark.filterwarnings("ignore::bayeslmm.errors.SingularFitWarning")
def test_replicates_without_a_rare_column_fail_and_are_counted():
    data = load_dataset("sleepstudy").assign(rare=lambda d: (d["Subject"].astype(str) == "308") * 1.0)
    fit = LinearMixedModel("Reaction ~ Days + rare + (1 | Subject)", data).fit()
    boot = fit.bootstrap(n=100, kind="cases", seed=2, progress=False)
    chance = (17 / 18) ** 18
    assert boot.n_failed == pytest.approx(100 * chance, abs=4 * np.sqrt(100 * chance * (1 - chance)))
    assert (boot.estimates().frame["n_ok"] == 100 - boot.n_failed).all()
    assert f"{boot.n_failed} of 100 refits found no optimum" in boot.notes[0]
    assert np.isnan(boot.values[boot.failed]).all()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"kind": "cases", "resample": "Subjct"}, "did you mean 'Subject'"),
        ({"kind": "cases", "ranef": True}, "known random effects"),
        ({"kind": "wild", "hccme": "hc4"}, "'hc2', 'hc3'"),
        ({"kind": "wild", "multiplier": "mamen"}, "did you mean 'mammen'"),
        ({"kind": "wild", "grup": "Subject"}, "did you mean 'group'"),
        ({"kind": "residual", "group": "Subject"}, "has no argument 'group'; there are n, kind"),
        ({"kind": "jackknife"}, ", ".join(map(repr, KINDS))),
    ],
)
def test_bad_options_of_a_kind(sleep, options, message):
    with pytest.raises(OptionError, match=message):
        sleep.bootstrap(n=5, progress=False, **options)


def test_known_levels_are_not_exchangeable():
    data = load_dataset("sleepstudy")
    K = pd.DataFrame(0.5 * np.eye(18) + 0.5, index=data["Subject"].unique(), columns=data["Subject"].unique())
    fit = LinearMixedModel("Reaction ~ Days + (1 | Subject)", data, covariance={"Subject": K}).fit()
    for kind in ("residual", "cases", "wild"):
        with pytest.raises(OptionError, match="known covariance"):
            fit.bootstrap(n=5, kind=kind, progress=False)
    assert fit.bootstrap(n=20, seed=1, progress=False).n_failed == 0

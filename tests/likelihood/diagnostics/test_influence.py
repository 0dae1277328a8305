"""What rows and groups do to a fit, against models fitted without them."""

import warnings
from itertools import cycle

import numpy as np
import pandas as pd
import pytest

import bayeslmm as bl
from bayeslmm.errors import BayesLMMWarning, DataError, OptionError
from bayeslmm.likelihood.diagnostics import reach
from bayeslmm.likelihood.diagnostics.deletion import delete
from bayeslmm.likelihood.diagnostics.without import without_each
from bayeslmm.likelihood.digits import unflattened
from bayeslmm.likelihood.fit import LikelihoodFit
from bayeslmm.spec.row_sets import RowSets
from bayeslmm.spec.subset import without

DESIGNS = {
    "slopes": ("Reaction ~ Days + (Days | Subject)", "sleepstudy"),
    "uncorrelated": ("Reaction ~ Days + (Days || Subject)", "sleepstudy"),
    "nested": ("strength ~ 1 + (1 | batch/cask)", "Pastes"),
    "crossed": ("diameter ~ 1 + (1 | plate) + (1 | sample)", "Penicillin"),
    "one-way": ("Yield ~ 1 + (1 | Batch)", "Dyestuff"),
    "singular": ("Yield ~ 1 + (1 | Batch)", "Dyestuff2"),
    "interaction": ("score ~ Machine + (1 | Worker/Machine)", "Machines"),
    "factor slopes": ("score ~ Machine + (0 + Machine | Worker)", "Machines"),
    "blocks": ("yield ~ nitro + Variety + (1 | Block/Variety)", "Oats"),
    "treatments": ("angle ~ recipe * temp + (1 | recipe:replicate)", "cake"),
    "repeated": ("effort ~ Type + (1 | Subject)", "ergoStool"),
    "weighted": ("Reaction ~ Days + (1 | Subject)", "sleepstudy"),
}


def fitted(name, criterion="REML"):
    formula, dataset = DESIGNS[name]
    data = bl.load_dataset(dataset)
    weights = np.linspace(0.5, 2.0, len(data)) if name == "weighted" else None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", BayesLMMWarning)
        return bl.LinearMixedModel(formula, data, weights=weights).fit(criterion)


def refitted(fit, rows):
    """Parameters of a new fit without some rows, begun from moments."""
    design = without(fit.design, rows)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", BayesLMMWarning)
        return LikelihoodFit.of(design, fit.options).estimates().frame["estimate"]


def units_of(fit):
    return ["row", *(block.group for block in fit.design.blocks)]


@pytest.mark.parametrize(("name", "criterion"), list(zip(DESIGNS, cycle(["REML", "ML"]))))
def test_estimates_are_those_of_refits(name, criterion):
    fit = fitted(name, criterion)
    errors = fit.estimates().frame["se"].fillna(fit.sigma)
    for unit in units_of(fit):
        found = fit.influence(unit)
        units = found.without.units
        for each in (0, len(units) // 2):
            apart = np.abs(found.estimates.iloc[each] - refitted(fit, units.rows(each)))
            assert (apart / errors).max() < 3e-3, (unit, each)


@pytest.mark.parametrize(("name", "criterion"), list(zip(DESIGNS, cycle(["ML", "REML"]))))
@pytest.mark.parametrize("way", ["usual", "slices"])
def test_slope_and_moments_without_a_unit_are_those_of_the_other_rows(name, criterion, way, monkeypatch):
    if way == "slices":
        monkeypatch.setattr(reach, "WHOLE", 0)
        monkeypatch.setattr(reach, "CELLS", 1000)
    fit = fitted(name, criterion)
    covariance, x = fit.design.covariance, fit.optimum.x
    for unit in units_of(fit):
        units = RowSets.of(fit.design, unit)
        found = delete(fit, units)
        smaller = without(fit.design, units.rows(1))
        criterion_there = fit.options.objective(smaller)
        by_lam = [
            2 * (by_T[1] @ factor).ravel()
            for by_T, factor in zip(found.by_T, unflattened(covariance, fit.lam), strict=True)
        ]
        slope = covariance.jacobian(fit.theta_values) @ np.concatenate(by_lam)
        np.testing.assert_allclose(slope, criterion_there(x)[1], atol=1e-8 * fit.design.n)
        solved = criterion_there.conditional(fit.lam).solved
        np.testing.assert_allclose(found.r2[1], solved.r2, rtol=1e-9)
        beta = smaller.kernel.to_beta(solved.delta)
        np.testing.assert_allclose(fit.design.kernel.to_beta(found.delta[1]), beta, rtol=1e-9)


def test_measures_are_lme4s():
    """lme4 1.1's influence of subjects; its Cook's distances count (J − p)/J of ours."""
    found = fitted("slopes").influence("Subject")
    lme4 = [0.082148405069, 0.132020797958, 0.098240744292, 0.074146502441, 0.050121506506, 0.005613424039]
    np.testing.assert_allclose(found.cooks_distance.iloc[:6] * 16 / 18, lme4, rtol=1e-3)
    changes = [[0.42426093, -0.664553910], [2.72647996, 0.482676500], [2.81887526, 0.256022775]]
    np.testing.assert_allclose(found.dfbeta.iloc[:3, :2], changes, atol=2e-4)
    scaled = [[0.058724882, -0.448927439], [0.410874922, 0.309896898], [0.427608791, 0.158341224]]
    np.testing.assert_allclose(found.dfbetas.iloc[:3, :2], scaled, atol=2e-4)
    assert found.dfbetas.shape == (18, 6)
    assert (found.cov_ratio > 0).all()


def test_known_covariance_between_levels_reaches_relatives():
    rng = np.random.default_rng(4)
    names = [f"a{i}" for i in range(12)]
    root = np.tril(rng.normal(size=(12, 12))) / 3 + np.eye(12)
    data = pd.DataFrame({"animal": np.repeat(names, 5), "x": rng.normal(size=60)})
    data["y"] = data["x"] + np.repeat(root @ rng.normal(size=12), 5) + 0.5 * rng.normal(size=60)
    K = pd.DataFrame(root @ root.T, index=names, columns=names)
    fit = bl.LinearMixedModel("y ~ x + (1 | animal)", data, covariance={"animal": K}).fit()
    found = fit.influence("animal")
    other = refitted(fit, found.without.units.rows(3))
    np.testing.assert_allclose(found.estimates.iloc[3], other, rtol=2e-3, atol=2e-3)


def test_a_step_is_close_and_a_search_closer():
    fit = fitted("treatments")
    step = without_each(fit, RowSets.of(fit.design, "recipe:replicate"), search=False)
    both = fit.influence("recipe:replicate")
    assert not step.searched.any()
    assert both.without.searched.any()
    assert np.abs(step.x - both.without.x).max() < 0.05 * float(fit.theta.iloc[0])


def test_what_the_others_do_not_tell_is_missing_and_said():
    rng = np.random.default_rng(2)
    data = pd.DataFrame({"g": np.repeat(list("abcdef"), 4), "y": rng.normal(size=24)})
    data["y"] += np.repeat(rng.normal(size=6), 4)
    data["only"] = ((data["g"] == "c") & (data.index % 2 == 0)).astype(float)
    found = bl.LinearMixedModel("y ~ only + (1 | g)", data).fit().influence("g")
    assert found.estimates.loc["c"].isna().all()
    assert found.estimates.drop(index="c").notna().all(axis=None)
    assert "no estimates without c: a column of X depends on others" in found.notes[0]
    assert "no estimates without c" in repr(found)


def test_a_vanished_variance_may_come_back():
    rng = np.random.default_rng(7)
    effects = np.array([1.0, -1.0, 1.0, -1.0, 1.0, -1.0, 0.0, 0.0])
    within = rng.normal(size=(8, 6))
    within -= within.mean(axis=1, keepdims=True)
    within[6] += np.array([9.0, -9.0, 9.0, -9.0, 9.0, -9.0])
    y = (0.6 * effects[:, None] + within).ravel()
    data = pd.DataFrame({"y": y, "g": np.repeat(list("abcdefgh"), 6)})
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", BayesLMMWarning)
        fit = bl.LinearMixedModel("y ~ 1 + (1 | g)", data).fit()
    assert fit.is_singular
    sd = fit.influence("g").estimates["sd[g: Intercept]"]
    assert sd["g"] > 0.3
    assert sd["a"] == 0


def test_a_model_without_groups_has_rows_to_leave_out():
    data = bl.load_dataset("sleepstudy")
    fit = bl.LinearMixedModel("Reaction ~ Days", data).fit()
    found = fit.influence()
    other = np.polyfit(data["Days"][1:], data["Reaction"][1:], 1)[::-1]
    np.testing.assert_allclose(found.estimates.iloc[0, :2], other)


def test_the_table_prints_and_the_plot_names_the_largest():
    found = fitted("slopes").influence("Subject")
    assert "| 309 | 10 | True |" in found.to_markdown()
    assert found.to_frame().shape == (18, 11)
    assert [text for text in found.plot(2).data[1].text if text] == ["309", "335"]


def test_wrong_units_are_told(tmp_path):
    fit = fitted("slopes")
    known = r"random effects or a column; 'subject' isn't known; did you mean 'Subject'\?"
    with pytest.raises(OptionError, match=known):
        fit.influence("subject")
    path = tmp_path / "rows.parquet"
    bl.load_dataset("sleepstudy").to_parquet(path)
    with pytest.raises(DataError, match="aren't in memory"):
        bl.LinearMixedModel("Reaction ~ Days + (1 | Subject)", path).fit().influence()


def test_what_a_group_does_to_the_parameters_of_a_residual() -> None:
    ovary = bl.load_dataset("Ovary")
    few, correlation = ovary[ovary["Mare"].astype(int) <= 5], bl.correlation.AR1("1 | Mare")

    def fitted_to(rows: pd.DataFrame) -> LikelihoodFit:
        return bl.LinearMixedModel("follicles ~ Time + (1 | Mare)", rows, correlation=correlation).fit()

    found = fitted_to(few).influence("Mare").estimates
    mare = found.index[0]
    other = fitted_to(few[few["Mare"].astype(str) != str(mare)])
    assert list(found.columns[-2:]) == ["phi[AR1]", "sigma"]
    expected = [*other.beta, *other.residual_parameters["value"], other.sigma]
    columns = [*found.columns[:2], "phi[AR1]", "sigma"]
    np.testing.assert_allclose(found.loc[mare, columns], expected, rtol=1e-6)


def test_a_column_without_random_effects_is_a_unit():
    data = bl.load_dataset("Machines")
    fit = bl.LinearMixedModel("score ~ 1 + (1 | Worker)", data).fit()
    found = fit.influence("Machine")
    assert found.index.tolist() == ["A", "B", "C"]
    other = bl.LinearMixedModel("score ~ 1 + (1 | Worker)", data[data["Machine"] != "B"]).fit()
    apart = np.abs(found.estimates.loc["B"] - other.estimates().frame["estimate"])
    assert (apart / fit.estimates().frame["se"]).max() < 3e-3


def ovary():
    return bl.load_dataset("Ovary")


@pytest.mark.parametrize("random", ["", " + (1 | Mare)"])
def test_groups_of_a_correlated_residual_are_units(random):
    data, ar1 = ovary(), bl.correlation.AR1("1 | Mare")
    fit = bl.LinearMixedModel(f"follicles ~ Time{random}", data, correlation=ar1).fit()
    found = fit.influence("Mare").estimates.loc["4"]
    rest = data[data["Mare"].astype(str) != "4"]
    other = bl.LinearMixedModel(f"follicles ~ Time{random}", rest, correlation=ar1).fit()
    np.testing.assert_allclose(found, other.estimates().frame["estimate"], rtol=1e-4)


def test_without_a_search_a_correlated_residual_stays_and_the_rest_moves():
    fit = bl.LinearMixedModel("follicles ~ Time", ovary(), correlation=bl.correlation.AR1("1 | Mare")).fit()
    held, searched = fit.influence("Mare", search=False), fit.influence("Mare")
    assert not held.table["searched"].any()
    np.testing.assert_allclose(held.dfbeta["phi[AR1]"], 0, atol=1e-12)
    assert np.corrcoef(held.cooks_distance, searched.cooks_distance)[0, 1] > 0.99


def test_a_column_with_gaps_is_no_unit():
    data = ovary().assign(herd=lambda frame: frame["Time"].where(frame["Time"] > 0))
    fit = bl.LinearMixedModel("follicles ~ Time + (1 | Mare)", data).fit()
    with pytest.raises(DataError, match="column 'herd' has no value in"):
        fit.influence("herd")

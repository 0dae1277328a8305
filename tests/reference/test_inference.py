"""Tests and intervals are lmerTest's, pbkrtest's and lme4's.

``python -m tests.reference.test_inference`` prints how many numbers of each kind are compared and how far the
worst is. What the reference has wrong is left out by name, and the evidence is at the end.
"""

import json
import re
import warnings
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from bayeslmm.datasets import load_dataset
from bayeslmm.errors import BayesLMMWarning
from bayeslmm.likelihood.fit import LikelihoodFit, fit
from bayeslmm.likelihood.fitted import FitOptions
from bayeslmm.likelihood.inference.comparison import anova
from bayeslmm.likelihood.inference.rlrt import exact_rlrt
from bayeslmm.spec.build import build
from bayeslmm.spec.labels import beta_labels
from bayeslmm.spec.model_spec import ModelSpec
from tests.reference.test_lmer import LARGE, NAMES, Deviation, fitted_model, reference

SMALL = [name for name in NAMES if name not in LARGE]

# lmerTest differentiates numerically in steps that don't know that θ is of size 1e-5 here
WRONG_DF = {"sleep_tiny_scale"}
# the last F of a balanced design differs from those of types II and III, and from the ANOVA table
WRONG_F = {("oats_splitplot_factor", "REML", "type_I_satterthwaite")}
# lme4's spline misses a limit near 0 that root finding gives; the reference has both
# the reference's inner search stays at the stationary sd = 0, lme4's doesn't; test_profile has lme4's limits
KEPT_AT_ZERO = {("dyestuff2_boundary", "(Intercept)")}
WRONG_SPLINE = {"dyestuff_unbalanced"}

TOLERANCES = {
    "Satterthwaite df": 1e-5,
    "Kenward-Roger df": 1e-6,
    "anova Satterthwaite: den_df": 1e-5,
    "anova Kenward-Roger: den_df": 1e-6,
    "SATmodcomp": 1e-5,
    "SATmodcomp: p": 1e-5,
    "lme4's spline limits (over width)": 2e-3,
    "exact RLRT: p (in se)": 4.0,
    "exact RLRT: null (in se)": 4.0,
}
OTHERS = 1e-6
DDF = {"satterthwaite": "Satterthwaite", "kenward_roger": "Kenward-Roger"}


def deviations(name: str, criterion: str) -> Iterator[Deviation]:
    """Every number about one reference fit's hypotheses and intervals that this package has."""
    ours, theirs = fitted_model(name, criterion), reference(name)["fits"][criterion]
    yield from _coefficients(ours, theirs, name)
    yield from _anova(ours, theirs, name)
    yield from _ranova(ours, theirs)
    if criterion == "ML":
        yield from _profile(ours, reference(name))


def relative(kind: str, ours: Any, theirs: Any) -> Deviation:
    a, b = np.asarray(ours, dtype=float), np.asarray(theirs, dtype=float)
    assert a.shape == b.shape, (kind, a.shape, b.shape)
    return Deviation(kind, a.size, float(np.max(np.abs(a - b) / np.maximum(np.abs(b), 1e-300), initial=0.0)))


def tail(kind: str, ours: Any, theirs: Any) -> Deviation:
    """Of p-values, which may be as small as they like: the difference over p(1 + |log p|)."""
    a, b = np.asarray(ours, dtype=float), np.asarray(theirs, dtype=float)
    return Deviation(kind, a.size, float(np.max(np.abs(a - b) / (b * (1 - np.log(b))), initial=0.0)))


def _coefficients(ours: LikelihoodFit, theirs: dict[str, Any], name: str) -> Iterator[Deviation]:
    for key, method in DDF.items():
        expected = theirs.get(key, {})
        if "df" not in expected:
            continue
        table = ours.coef_table(ddf=key.replace("_", "-"))
        yield absolute(f"{method} t", table["t"], expected["t"], np.maximum(1.0, np.abs(expected["t"])))
        if name not in WRONG_DF:
            yield relative(f"{method} df", table["df"], expected["df"])
            yield tail(f"{method} p", table["p"], expected["p"])
        if "se" in expected:
            se = np.array(expected["se"])
            yield relative(f"{method} se", table["se"], se)
            adjusted = expected["vcov_adj"]["values"]
            yield absolute(f"{method} vcov (over se)", ours.vcov_kenward_roger, adjusted, np.outer(se, se))
    normal, wald = ours.coef_table(ddf="normal"), theirs["wald_ci"]["values"]
    yield absolute("Wald interval (over se)", normal[["lower", "upper"]], wald, normal[["se"]].to_numpy())


def absolute(kind: str, ours: Any, theirs: Any, scale: Any) -> Deviation:
    a, b = np.asarray(ours, dtype=float), np.asarray(theirs, dtype=float)
    assert a.shape == b.shape, (kind, a.shape, b.shape)
    return Deviation(kind, a.size, float(np.max(np.abs(a - b) / scale, initial=0.0)))


def _anova(ours: LikelihoodFit, theirs: dict[str, Any], name: str) -> Iterator[Deviation]:
    for key, expected in (theirs.get("anova") or {}).items():
        _, roman, ddf = key.split("_", 2)
        if name in WRONG_DF or (name, ours.criterion, key) in WRONG_F:
            continue
        table = ours.anova(type=len(roman), ddf=ddf.replace("_", "-"))
        kind = f"anova {DDF[ddf]}"
        for column in ("num_df", "den_df", "F", "sum_sq", "mean_sq"):
            yield relative(f"{kind}: {column}", table[column], expected[column])
        yield tail(f"{kind}: p", table["p"], expected["p"])


def _ranova(ours: LikelihoodFit, theirs: dict[str, Any]) -> Iterator[Deviation]:
    expected = theirs.get("ranova")
    if not expected:
        return
    table = ours.ranova()
    order = [_row_like(list(table.index), term) for term in expected["term"]]
    found = table.iloc[order]
    yield absolute(
        "ranova: n_params, df", found[["n_params", "df"]].iloc[1:], _columns(expected, "npar", "df"), 1
    )
    yield absolute("ranova: loglik", found["loglik"], expected["logLik"], 1.0)
    yield absolute("ranova: AIC", found["aic"], expected["AIC"], 1.0)
    yield absolute("ranova: LRT", found["lrt"].iloc[1:], expected["LRT"][1:], 1.0)
    tested = np.array(expected["df"][1:], dtype=float) > 0  # lmerTest counts, but has no p, with 0
    yield tail("ranova: p", found["p"].iloc[1:][tested], np.array(expected["p"][1:], dtype=float)[tested])


def _columns(table: dict[str, list[Any]], *names: str) -> np.ndarray:
    return np.array([table[name][1:] for name in names], dtype=float).T


def _row_like(labels: list[str], term: str) -> int:
    """Where lme4's term is; an interaction may name its columns in another order."""
    left, _, group = term.removesuffix(")").rpartition(" | ")
    keys = [label.removesuffix(")").rpartition(" | ") for label in labels]
    return next(
        place
        for place, (own, _, other) in enumerate(keys)
        if own == left and sorted(other.split(":")) == sorted(group.split(":"))
    )


def _profile(ours: LikelihoodFit, model: dict[str, Any]) -> Iterator[Deviation]:
    """Limits over the width of the interval; lme4's own are interpolated by splines."""
    exact, spline = model.get("profile_ci_95_root"), model.get("profile_ci_95")
    if exact:
        names = [name for name in exact["limits"] if (model["id"], name) not in KEPT_AT_ZERO]
        limits = np.array([exact["limits"][name] for name in names], dtype=float)
        table = ours.profile(_labels(ours, names)).confint().to_numpy()
        width = limits[:, 1:] - limits[:, :1]
        yield absolute("profile limits (over width)", table, limits, width)
    if spline and "lower" in spline and model["id"] not in WRONG_SPLINE:
        limits = np.array([spline["lower"], spline["upper"]], dtype=float).T
        table = ours.profile(_labels(ours, spline["names"])).confint().to_numpy()
        both = np.isfinite(limits) & np.isfinite(table)
        scaled = np.abs(table - limits) / (table[:, 1:] - table[:, :1])
        yield absolute("lme4's spline limits (over width)", scaled[both], np.zeros(both.sum()), 1.0)


def _labels(ours: LikelihoodFit, names: list[str]) -> list[str]:
    """lme4's "sd_Subject|(Intercept)", or "sd_(Intercept)|Subject" where it made it, as our labels."""
    fixed = iter(beta_labels(ours.design))
    order = [name for name in names if not re.match("sigma|sd_|cor_", name)]
    by_name = {name: next(fixed) for name in order}
    return [by_name.get(name) or _random_label(ours, name) for name in names]


def _random_label(ours: LikelihoodFit, name: str) -> str:
    if name == "sigma":
        return name
    kind, rest = name.split("_", 1)
    ends = rest.split("|")
    groups = {_key(block.group): block for block in ours.design.blocks}
    group, coef = ends if _key(ends[0]) in groups else reversed(ends)
    block = groups[_key(group)]
    coefs = ["(Intercept)" if own == "Intercept" else own for own in block.coefs]
    if kind == "sd":
        return f"sd[{block.group}: {block.coefs[coefs.index(coef)]}]"
    second, first = coef.split(".", 1) if coef.split(".", 1)[0] in coefs else coef.rsplit(".", 1)
    a, b = sorted((coefs.index(first), coefs.index(second)))
    return f"cor[{block.group}: {block.coefs[a]}, {block.coefs[b]}]"


def _key(group: str) -> frozenset[str]:
    return frozenset(group.split(":"))


PAIRS = sorted((Path(__file__).parent / "comparison").glob("*.json"))
DRAWS = 100_000


@cache
def pair(path: Path) -> tuple[dict[str, Any], LikelihoodFit, LikelihoodFit]:
    """A comparison and its two fits by REML, the small one first."""
    theirs = json.loads(path.read_text())
    fits = []
    for formula in (theirs["small"], theirs["large"]):
        design, recipe = build(ModelSpec(formula), load_dataset(theirs["dataset"]))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", BayesLMMWarning)
            fits.append(fit(design, FitOptions(), formula, recipe))
    return theirs, *fits


def pair_deviations(path: Path) -> Iterator[Deviation]:
    """Every number about one pair of models that this package has, Monte Carlo ones in standard errors."""
    theirs, small, big = pair(path)
    yield from _likelihood_ratios(small, big, theirs)
    if "kr_modcomp" in theirs:
        yield from _joint_tests(small, big, theirs)
    if "exact_rlrt" in theirs:
        yield from _exact(small, big, theirs["exact_rlrt"])


def _likelihood_ratios(
    small: LikelihoodFit, big: LikelihoodFit, theirs: dict[str, Any]
) -> Iterator[Deviation]:
    ml, expected = anova(big, small, criterion="ML"), theirs["lrt_ml"]
    yield absolute("LRT: AIC, BIC", ml[["aic", "bic"]].T, [expected["AIC"], expected["BIC"]], 1.0)
    yield absolute("LRT: chisq", ml["chisq"].iloc[1:], [expected["chisq"]], 1.0)
    yield absolute("LRT: df", ml["df"].iloc[1:], [expected["df"]], 1.0)
    yield tail("LRT: p", ml["p"].iloc[1:], [expected["p"]])
    if "lrt_reml" in theirs:
        reml, expected = anova(small, big, criterion="REML"), theirs["lrt_reml"]
        yield absolute("LRT: chisq", reml["chisq"].iloc[1:], [expected["chisq"]], 1.0)
        yield tail("LRT: p", reml["p"].iloc[1:], [expected["p_chisq"]])
        if theirs["id"] != "cmp_sleep_corr":  # a correlation, which has no boundary here
            yield tail("LRT: p at the boundary", reml["p_boundary"].iloc[1:], [expected["p_half_mixture"]])


def _joint_tests(small: LikelihoodFit, big: LikelihoodFit, theirs: dict[str, Any]) -> Iterator[Deviation]:
    L = _restriction(small.design.X, big.design.X)
    ours, expected = big.test(L, ddf="kenward-roger").joint, theirs["kr_modcomp"]
    wanted = [expected[name] for name in ("stat_F", "scaling", "ndf", "ddf", "F_unscaled")]
    yield relative("KRmodcomp", [ours.F, ours.scale, ours.num_df, ours.den_df, ours.F / ours.scale], wanted)
    yield tail("KRmodcomp: p", [ours.p], [expected["p"]])
    ours, expected = big.test(L).joint, theirs["sat_modcomp"]
    wanted = [expected[name] for name in ("statistic", "ndf", "ddf")]
    yield relative("SATmodcomp", [ours.F, ours.num_df, ours.den_df], wanted)
    yield tail("SATmodcomp: p", [ours.p], [expected["p.value"]])


def _restriction(small: np.ndarray, big: np.ndarray) -> np.ndarray:
    """L whose null space is the small model's: orthogonal to the coefficients that make its columns."""
    inside = np.linalg.lstsq(big, small, rcond=None)[0]
    left, sizes, _ = np.linalg.svd(inside)
    return left[:, np.sum(sizes > 1e-8 * sizes[0]) :].T


def _exact(small: LikelihoodFit, big: LikelihoodFit, theirs: dict[str, Any]) -> Iterator[Deviation]:
    ours = exact_rlrt(small, big, n=DRAWS, seed=1)
    yield absolute("exact RLRT: statistic", [ours.statistic], [theirs["statistic"]], 1.0)
    error = np.hypot(ours.mc_error, theirs["monte_carlo_se"])
    yield absolute("exact RLRT: p (in se)", [ours.p], [theirs["p"]], max(error, 1 / DRAWS))
    zero = theirs["null_fraction_zero"]
    error = np.sqrt(2 * zero * (1 - zero) / DRAWS)
    yield absolute("exact RLRT: null (in se)", [np.mean(ours.sample < 1e-9)], [zero], error)
    for name, prob in (("90%", 0.9), ("95%", 0.95), ("99%", 0.99)):
        above = np.mean(ours.sample >= theirs["null_quantiles"][name])
        error = np.sqrt(2 * prob * (1 - prob) / DRAWS)
        yield absolute("exact RLRT: null (in se)", [above], [1 - prob], error)


@pytest.mark.parametrize("path", PAIRS, ids=lambda path: path.stem)
def test_comparison_is_that_of_r(path: Path) -> None:
    found = list(pair_deviations(path))
    assert not [each for each in found if not each.worst <= TOLERANCES.get(each.kind, OTHERS)]
    assert sum(each.count for each in found) >= 6


@pytest.mark.parametrize("criterion", ["REML", "ML"])
@pytest.mark.parametrize("name", SMALL)
def test_inference_is_lmertests(name: str, criterion: str) -> None:
    found = list(deviations(name, criterion))
    assert not [each for each in found if not each.worst <= TOLERANCES.get(each.kind, OTHERS)]
    assert sum(each.count for each in found) >= 4


@pytest.mark.parametrize("criterion", ["REML", "ML"])
def test_degrees_of_freedom_dont_depend_on_units(criterion: str) -> None:
    """The same model in other units: ours agree, and with lmerTest's in the ordinary units."""
    small, plain = fitted_model("sleep_tiny_scale", criterion), fitted_model("sleep_correlated", criterion)
    expected = reference("sleep_correlated")["fits"][criterion]["satterthwaite"]["df"]
    wrong = reference("sleep_tiny_scale")["fits"][criterion]["satterthwaite"]["df"]
    np.testing.assert_allclose(small.coef_table()["df"], plain.coef_table()["df"], rtol=1e-6)
    np.testing.assert_allclose(small.coef_table()["df"], expected, rtol=1e-6)
    assert np.max(np.abs(np.array(wrong) / expected - 1)) > 5e-3


def test_balanced_tables_are_one() -> None:
    """Where the terms are orthogonal all types agree; lmerTest's types II and III do."""
    tables = reference("oats_splitplot_factor")["fits"]["REML"]["anova"]
    ours = fitted_model("oats_splitplot_factor", "REML")
    for roman in ("II", "III"):
        expected = tables[f"type_{roman}_satterthwaite"]["F"]
        np.testing.assert_allclose(ours.anova(type=1)["F"], expected, rtol=1e-8)
    assert abs(tables["type_I_satterthwaite"]["F"][-1] / expected[-1] - 1) > 1e-3


def test_root_finding_is_right_where_splines_arent() -> None:
    model = reference("dyestuff_unbalanced")
    exact = model["profile_ci_95_root"]["limits"]["sd_Batch|(Intercept)"][0]
    ours = fitted_model("dyestuff_unbalanced", "ML").confint("profile").loc["sd[Batch: Intercept]", "lower"]
    assert ours == pytest.approx(exact, rel=1e-8)
    assert model["profile_ci_95"]["lower"][0] > 1.3 * exact


def summary() -> pd.DataFrame:
    """How many numbers of each kind, and the worst deviation."""
    found = [each for name in SMALL for criterion in ("REML", "ML") for each in deviations(name, criterion)]
    found += [each for path in PAIRS for each in pair_deviations(path)]
    frame = pd.DataFrame(found)
    return frame.groupby("kind").agg(numbers=("count", "sum"), worst=("worst", "max"))


if __name__ == "__main__":
    print(summary().to_string())

"""Repeated measures against SAS PROC MIXED on `fev`: each model from the facts of its own file."""

import json
import re
import warnings
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

import bayeslmm as bl
from bayeslmm.errors import BayesLMMWarning
from bayeslmm.likelihood.fit import LikelihoodFit

HERE = Path(__file__).parent / "mmrm"
NAMES = sorted(path.stem for path in HERE.glob("sas_*.json"))
C, V = bl.correlation, bl.variance
VISITS = "AVISIT | USUBJID"
HALF = 0.51  # of a printed df, a whole number
STOPPED = 3e-3  # SAS stops 2e-5 above the minimum of −2ℓ: the root of that, in standard errors of a parameter
# in SAS's words; h: a variance a visit
STRUCTURES = {
    "un": (C.Unstructured(VISITS), V.Ident("AVISIT")),
    "ar1": (C.AR1(VISITS), None),
    "ar1h": (C.AR1(VISITS), V.Ident("AVISIT")),
    "cs": (C.CompoundSymmetry("1 | USUBJID"), None),
    "csh": (C.CompoundSymmetry("1 | USUBJID"), V.Ident("AVISIT")),
    "adh": (C.AnteDependence(VISITS), V.Ident("AVISIT")),
    "sp_exp": (C.Exponential("VISITN | USUBJID"), None),
    "sp_exp2": (C.Exponential("VISITN + VISITN2 | USUBJID"), None),
    "sp_pow": (C.CAR1("VISITN | USUBJID"), None),
}


@cache
def reference(name: str) -> dict[str, Any]:
    return json.loads((HERE / f"{name}.json").read_text())


@cache
def fitted(structure: str, fixed: str, method: str) -> LikelihoodFit:
    correlation, variance = STRUCTURES[structure]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", BayesLMMWarning)
        model = bl.LinearMixedModel(fixed, bl.load_dataset("fev"), correlation=correlation, variance=variance)
        return model.fit(method)


def marked(name: str) -> Any:
    """By ML what by REML is looked at always."""
    return pytest.param(name, marks=pytest.mark.slow) if reference(name)["method"] == "ML" else name


@pytest.fixture(params=map(marked, NAMES))
def both(request: pytest.FixtureRequest) -> tuple[LikelihoodFit, dict[str, Any]]:
    own = reference(request.param)
    return fitted(own["structure_code"], own["fixed_part"], own["method"]), own


def test_likelihood(both: tuple[LikelihoodFit, dict[str, Any]]) -> None:
    """SAS stops where steps are small: ours is never higher."""
    fit, own = both
    assert fit.design.n == own["n_used"]
    assert -2e-5 < fit.criterion_value - own["minus_2_log_likelihood"] < 1e-8


def digits(text: str) -> float:
    """Half of the last digit printed."""
    _, _, decimals = text.partition(".")
    return 0.51 * 10.0 ** -len(decimals)


def numbers(words: list[str]) -> list[str]:
    return [word for word in words if re.fullmatch(r"-?\d+\.?\d*", word) or word.startswith("<")]


def coefficient_of(words: list[str], data: pd.DataFrame) -> set[str]:
    """The parts of a coefficient's name: `AVISIT*ARMCD  VIS2  TRT` is {AVISIT[T.VIS2], ARMCD[T.TRT]}."""
    if words[0] == "Intercept":
        return {"Intercept"}
    found = set()
    for level in words[1:]:
        owners = [factor for factor in words[0].split("*") if level in set(map(str, data[factor].unique()))]
        if owners:
            found.add(f"{owners[0]}[T.{level}]")
    return found


def test_coefficients(both: tuple[LikelihoodFit, dict[str, Any]]) -> None:
    fit, own = both
    data, table = bl.load_dataset("fev"), fit.coef_table("satterthwaite")
    by_parts = {frozenset(name.split(":")): row for name, row in table.iterrows()}
    for line in own["fixed_effects"]:
        words = re.split(r"\s{2,}", line.strip())
        printed = numbers(words)
        if len(printed) < 4:  # the reference level
            continue
        row = by_parts[frozenset(coefficient_of(words, data))]
        estimate, se, df, t = map(float, printed[:4])
        assert_allclose(row["estimate"], estimate, atol=digits(printed[0]) + STOPPED * se)
        assert_allclose(row["se"], se, atol=digits(printed[1]), rtol=STOPPED)
        assert abs(row["df"] - df) < HALF + STOPPED * df
        assert_allclose(row["t"], t, atol=digits(printed[3]), rtol=STOPPED)


def test_type_3(both: tuple[LikelihoodFit, dict[str, Any]]) -> None:
    fit, own = both
    method = {"Satterthwaite": "satterthwaite", "Between-Within": "between-within"}[own["ddf"]]
    for line in own["type_3"]:
        term, num_df, den_df, *rest = line.split()
        tests = fit.anova(3, method)
        row = {frozenset(name.split(":")): row for name, row in tests.iterrows()}[frozenset(term.split("*"))]
        assert row["num_df"] == int(num_df)
        assert abs(row["den_df"] - float(den_df)) < HALF + STOPPED * row["den_df"]
        F = float(rest[len(rest) // 2 - 1])  # after χ², where there is one, and before their p
        assert_allclose(row["F"], F, atol=0.005, rtol=STOPPED)


def test_least_squares_means() -> None:
    own = reference("sas_log_reml")
    fit = fitted(own["structure_code"], own["fixed_part"], own["method"])
    table = fit.marginal_means(["AVISIT", "ARMCD"], ddf="satterthwaite").table
    assert own["lsmeans"]
    for line in own["lsmeans"]:
        words = re.split(r"\s{2,}", line.strip())
        printed = numbers(words)
        row = table.loc[tuple(words[1:3])]
        for column, text in zip(("estimate", "se"), printed[:2], strict=True):
            assert_allclose(row[column], float(text), atol=digits(text) + STOPPED * row["se"])
        assert abs(row["df"] - float(printed[2])) < HALF + STOPPED * row["df"]
        assert_allclose([row["lower"], row["upper"]], [float(text) for text in printed[-2:]], atol=1e-3)


def test_parameters_of_the_covariance(both: tuple[LikelihoodFit, dict[str, Any]]) -> None:
    """SAS prints variances, covariances and correlations, at which its search stopped; ours make them."""
    fit, own = both
    rows = own["covariance_parameters"]
    if not rows:
        return
    values, width = (np.array([row[key] for row in rows]) for key in ("estimate", "upper"))
    width = width - [row["lower"] for row in rows]
    ours = min(candidates(fit, own["structure_code"]), key=lambda each: np.abs(each - values).sum())
    assert_allclose((ours - values) / width, 0, atol=1e-3)


def candidates(fit: LikelihoodFit, structure: str) -> list[np.ndarray]:
    """Our parameters as SAS has them; its visits begin with the first or, that being the reference, "
    "end with it."""
    found = fit.residual_parameters.set_index("name")["value"]
    is_sd = found.index.str.startswith("sd[")
    sds, others = found[is_sd].to_numpy(), found[~is_sd].to_numpy()
    if structure == "un":
        R = np.diag(sds**2)
        R[np.triu_indices(4, 1)] = others * np.outer(sds, sds)[np.triu_indices(4, 1)]
        full = R + np.triu(R, 1).T
        orders = [np.arange(4), np.array([1, 2, 3, 0])]
        return [full[np.ix_(order, order)][np.tril_indices(4)] for order in orders]
    if structure == "cs":
        return [fit.sigma**2 * np.array([others[0], 1 - others[0]])]
    if not len(sds):
        return [np.append(others, fit.sigma**2)]
    return [np.append(one, others) for one in (sds**2, np.roll(sds**2, -1))]


@pytest.mark.slow
def test_the_trial_of_visual_acuity() -> None:
    """55 parameters over 107 patterns of visits: −2 REML log-likelihood and standard deviations "
    "worked out apart."""
    data = bl.load_dataset("bcva")
    model = bl.LinearMixedModel(
        "BCVA_CHG ~ BCVA_BL + AVISIT + AVISIT:ARMCD + RACE",
        data,
        correlation=C.Unstructured(VISITS),
        variance=V.Ident("AVISIT"),
    )
    fit = model.fit()
    assert_allclose(fit.criterion_value, 32071.0297, atol=1e-4)
    found = fit.residual_parameters.set_index("name")["value"]
    sds = [0.98552, 1.24972, 1.42201, 1.55286, 1.75831, 1.78474, 1.98173, 2.08019, 2.20534, 2.31343]
    assert_allclose(found[found.index.str.startswith("sd[")], sds, atol=6e-6)

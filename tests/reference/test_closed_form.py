"""One-way random models whose REML and ML estimates have closed forms, and NIST's that strain float64."""

import json
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from bayeslmm.datasets import load_dataset
from bayeslmm.datasets.tables import read_csv
from bayeslmm.errors import SingularFitWarning
from bayeslmm.likelihood.fit import LikelihoodFit, fit
from bayeslmm.likelihood.fitted import FitOptions
from bayeslmm.spec.build import build
from bayeslmm.spec.model_spec import ModelSpec

HERE = Path(__file__).parent
ONE_WAY = json.loads((HERE / "closed_form" / "one_way_anova.json").read_text())
BALANCED = [name for name, case in ONE_WAY.items() if case["balanced"]]
NIST = json.loads((HERE / "nist" / "smls.json").read_text())["problems"]


def one_way(response: str, group: str, data: pd.DataFrame, criterion: str) -> LikelihoodFit:
    design, recipe = build(ModelSpec(f"{response} ~ 1 + (1 | {group})"), data)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SingularFitWarning)
        return fit(design, FitOptions(criterion), recipe=recipe)


def variances(result: LikelihoodFit) -> tuple[float, float]:
    table = result.varcorr.query("kind == 'var'").set_index("group")["value"]
    return float(table.iloc[0]), float(table["Residual"])


@pytest.mark.parametrize("criterion", ["reml", "ml"])
@pytest.mark.parametrize("name", BALANCED)
def test_estimates_are_the_closed_form(name: str, criterion: str) -> None:
    case = ONE_WAY[name]
    result = one_way(case["response"], case["group"], load_dataset(case["dataset"]), criterion.upper())
    expected: dict[str, Any] = case[criterion]
    between, within = variances(result)
    assert between == pytest.approx(expected["var_A"], rel=1e-9, abs=0)
    assert within == pytest.approx(expected["var_E"], rel=1e-10)
    assert result.beta_values[0] == pytest.approx(case["grand_mean"], rel=1e-13)


@pytest.mark.parametrize("name", BALANCED)
def test_blups_shrink_as_the_closed_form(name: str) -> None:
    case = ONE_WAY[name]
    result = one_way(case["response"], case["group"], load_dataset(case["dataset"]), "REML")
    effects = result.ranef()[case["group"]]["Intercept"]
    deviation = pd.Series(case["group_means"])[effects.index] - case["grand_mean"]
    np.testing.assert_allclose(effects, case["blup_shrinkage_reml"] * deviation, rtol=1e-8)
    assert result.se.iloc[0] == pytest.approx(case["se_mean_reml"], rel=1e-9)


@pytest.mark.parametrize("name", NIST)
def test_nist_one_way(name: str) -> None:
    case = NIST[name]
    (path,) = (HERE / "nist").glob(f"nist_{name}.*")
    result = one_way("response", "treatment", read_csv(path, text=["treatment"]), "REML")
    between, within = variances(result)
    best = case["as_float64"]  # the exact result for the data as doubles hold them
    assert within == pytest.approx(best["var_E_reml"], rel=1e-12)
    assert between == pytest.approx(best["var_A_reml"], rel=1e-9)
    assert result.beta_values[0] == pytest.approx(best["grand_mean"], rel=1e-14)

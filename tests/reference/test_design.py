"""The design's matrices are R's: every reference model, and awkward formulas."""

import json
import re
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from bayeslmm.datasets import load_dataset
from bayeslmm.errors import DesignWarning
from bayeslmm.spec.build import build
from bayeslmm.spec.design import Design
from bayeslmm.spec.model_spec import ModelSpec

HERE = Path(__file__).parent
REFERENCES = sorted((HERE / "lmer").glob("*.json"))
MATRICES = json.loads((HERE / "model_matrix" / "designs.json").read_text())

# lme4 leaves a factor unsplit in `||`; here each of its columns has its own variance
UNSPLIT_IN_LME4 = "machines_double_bar_factor"
same_random_part = pytest.mark.parametrize(
    "reference",
    [path for path in REFERENCES if path.stem != UNSPLIT_IN_LME4],
    indirect=True,
    ids=lambda path: path.stem,
)


def transformed(reference: dict[str, Any]) -> pd.DataFrame:
    """The reference's data set with the columns it adds."""
    data = load_dataset(reference["dataset"])
    for step in reference["transforms"]:
        data[step["column"]] = data.eval(step["r_expression"].replace("%%", "%"))
    return data


def quiet_build(spec: ModelSpec, data: pd.DataFrame) -> Design:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DesignWarning)
        return build(spec, data).design


def r_name(coef: str) -> str:
    """A coefficient's name as R spells it, for factors without a transform."""
    name = coef.replace("Intercept", "(Intercept)")
    return re.sub(r"\[(?:[TSH]\.)?([^]]*)]", r"\1", name)


@pytest.fixture(params=REFERENCES, ids=lambda path: path.stem)
def reference(request: pytest.FixtureRequest) -> dict[str, Any]:
    return json.loads(request.param.read_text())


def test_design_is_lme4s(reference: dict[str, Any]) -> None:
    expected = reference["design"]
    spec = ModelSpec(
        reference["formula"], contrasts=reference["contrasts"] or {}, weights=reference["weights_column"]
    )
    design = quiet_build(spec, transformed(reference))
    assert (design.n, design.p) == (expected["n_obs"], expected["p"])
    assert design.n_missing == expected["n_rows_dropped_na"]
    scale = np.abs(expected["XtX"]).max()
    np.testing.assert_allclose(design.X.T @ design.X, expected["XtX"], rtol=1e-12, atol=1e-13 * scale)
    np.testing.assert_allclose(design.X.T @ design.y, expected["Xty"], rtol=1e-12, atol=1e-12 * scale)
    np.testing.assert_allclose(design.X[:3], expected["X_head3"], rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(design.y @ design.y, expected["yty"], rtol=1e-13)
    np.testing.assert_allclose(design.offset.sum(), expected["offset_sum"], rtol=1e-13)
    np.testing.assert_allclose(design.residual.weights.sum(), expected["weights_sum"], rtol=1e-13)


def test_dropped_columns_are_lme4s(reference: dict[str, Any]) -> None:
    design = quiet_build(ModelSpec(reference["formula"]), transformed(reference))
    assert [r_name(coef) for coef in design.dropped] == reference["design"]["dropped_columns"]


@same_random_part
def test_random_part_is_lme4s(reference: dict[str, Any]) -> None:
    expected = reference["design"]
    design = quiet_build(ModelSpec(reference["formula"]), transformed(reference))
    assert (design.q, design.n_theta) == (expected["q"], expected["n_theta"])
    assert design.Z.nnz == expected["Z_nnz_structural"]
    np.testing.assert_allclose(design.Z.sum(), expected["Z_sum"], rtol=1e-12)
    np.testing.assert_allclose((design.Z**2).sum(), expected["Z_sum_sq"], rtol=1e-12)
    lower = [-np.inf if bound is None else bound for bound in expected["theta_lower"]]
    np.testing.assert_array_equal(design.covariance.lower, lower)


@same_random_part
def test_terms_come_in_lme4s_order(reference: dict[str, Any]) -> None:
    design = quiet_build(ModelSpec(reference["formula"]), transformed(reference))
    slots = sorted(design.covariance.slots, key=lambda slot: slot.theta.start)
    levels = [design.blocks[slot.block].n_levels for slot in slots for _ in slot.structure.lower]
    expected = []
    for term in reference["design"]["re_terms_in_lme4_order"]:
        k = len(term["columns"])
        expected += [term["n_levels"]] * (k * (k + 1) // 2)
    assert levels == expected


def test_levels_and_coefs_are_lme4s(reference: dict[str, Any]) -> None:
    design = quiet_build(ModelSpec(reference["formula"]), transformed(reference))
    theirs = reference["fits"]["REML"]["ranef"]
    ours = {frozenset(block.group.split(":")): block for block in design.blocks}
    assert {frozenset(group.split(":")) for group in theirs} == set(ours)
    for group, effects in theirs.items():
        block = ours[frozenset(group.split(":"))]
        levels = {frozenset(level.split(":")) for level in block.levels}
        assert {frozenset(level.split(":")) for level in effects["levels"]} <= levels


@pytest.mark.parametrize("expected", MATRICES, ids=lambda entry: f"{entry['dataset']}: {entry['formula']}")
def test_matrix_is_rs(expected: dict[str, Any]) -> None:
    design = quiet_build(ModelSpec(expected["formula"]), load_dataset(expected["dataset"]))
    scale = np.abs(expected["XtX"]).max()
    np.testing.assert_allclose(design.X.T @ design.X, expected["XtX"], rtol=1e-10, atol=1e-12 * scale)
    np.testing.assert_allclose(design.X.T @ design.y, expected["Xty"], rtol=1e-10, atol=1e-10 * scale)
    assert len(design.dropped) == expected["n_dropped"]
    assert (design.q, design.n_theta) == (expected["q"], expected["n_theta"])
    np.testing.assert_allclose(design.Z.sum(), expected["Z_sum"], rtol=1e-10, atol=1e-10)
    np.testing.assert_allclose((design.Z**2).sum(), expected["Z_sum_sq"], rtol=1e-10)


def test_double_bar_splits_a_factor() -> None:
    design = quiet_build(ModelSpec("score ~ Machine + (Machine || Worker)"), load_dataset("Machines"))
    (block,) = design.blocks
    assert block.coefs == ("Intercept", "Machine[T.B]", "Machine[T.C]")
    assert design.n_theta == 3


def test_lme4s_unsplit_double_bar_can_be_written_out() -> None:
    reference = json.loads((HERE / "lmer" / f"{UNSPLIT_IN_LME4}.json").read_text())
    formula = "score ~ Machine + (1 | Worker) + (0 + Machine | Worker)"
    design = quiet_build(ModelSpec(formula), load_dataset("Machines"))
    assert (design.q, design.n_theta) == (reference["design"]["q"], reference["design"]["n_theta"])

"""Marginal means, their pairs and Tukey's p-values are emmeans': all of them in the reference files."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

from bayeslmm.likelihood.inference.table import InferenceTable
from tests.reference.test_lmer import NAMES, fitted_model, reference

ASKED = [
    pytest.param(name, criterion, place, id=f"{name}-{criterion}-{place}")
    for name in NAMES
    for criterion, fit in reference(name)["fits"].items()
    for place, _ in enumerate(fit.get("emmeans") or ())
]
COLUMNS = {"estimate": "emmean", "se": "SE", "df": "df", "lower": "lower.CL", "upper": "upper.CL"}


def variables(side: str) -> list[str]:
    return [name.strip() for name in side.replace("*", "+").split("+") if name.strip()]


def named(theirs: dict[str, Any], names: list[str]) -> pd.DataFrame:
    """Their table in our order: the first variable varies slowest."""
    return pd.DataFrame(theirs).set_index(names if len(names) > 1 else names[0])


def agree(ours: InferenceTable, theirs: pd.DataFrame, columns: dict[str, str], unit: np.ndarray) -> None:
    for own, other in columns.items():
        scale = ours["df"] if own == "df" else unit
        assert_allclose(ours[own] / scale, theirs[other].to_numpy(float) / scale, atol=1e-6, rtol=0)


def test_there_are_some() -> None:
    assert len(ASKED) >= 7


@pytest.mark.parametrize(("name", "criterion", "place"), ASKED)
def test_means_are_emmeans(name: str, criterion: str, place: int) -> None:
    asked = reference(name)["fits"][criterion]["emmeans"][place]
    left, _, right = asked["spec"].removeprefix("~").partition("|")
    names, by = variables(left), variables(right)
    means = fitted_model(name, criterion).marginal_means(names, by=by or None, ddf=asked["df_method"])
    theirs = named(asked["means"], [*by, *names])
    theirs = theirs.loc[[_as_theirs(label, theirs.index) for label in means.table.index]]
    agree(means.table, theirs, COLUMNS, means.table["se"])
    if by:
        return
    pairs = means.contrasts("pairwise", adjust="none")
    plain = {"estimate": "estimate", "se": "SE", "df": "df", "t": "t.ratio"}
    other = pd.DataFrame(asked["pairwise_unadjusted"])
    unit = np.where(np.arange(len(pairs)) < 0, 1, pairs["se"])
    agree(pairs, other, {key: plain[key] for key in ("estimate", "se", "df")}, unit)
    assert_allclose(pairs["t"], other["t.ratio"], rtol=1e-6)
    assert_allclose(pairs["p"], other["p.value"], rtol=1e-4, atol=1e-12)
    assert_allclose(means.contrasts()["p"], asked["pairwise_tukey_p"], rtol=1e-4, atol=1e-9)


def _as_theirs(label: Any, index: pd.Index) -> Any:
    """A label among theirs, whose levels R wrote as text or as numbers."""
    found = {str(other): other for other in index}
    return found[str(label)]

"""Tests and intervals are lmerTest's, pbkrtest's and lme4's.

``python -m tests.reference.test_inference`` prints how many numbers of each kind are compared and how far the
worst is. What the reference has wrong is left out by name, and the evidence is at the end.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
import pytest

from bayeslmm.likelihood.fit import LikelihoodFit
from tests.reference.test_lmer import LARGE, NAMES, Deviation, fitted_model, reference

SMALL = [name for name in NAMES if name not in LARGE]

# lmerTest differentiates numerically in steps that don't know that θ is of size 1e-5 here
WRONG_DF = {"sleep_tiny_scale"}
# the last F of a balanced design differs from those of types II and III, and from the ANOVA table
WRONG_F = {("oats_splitplot_factor", "REML", "type_I_satterthwaite")}

TOLERANCES = {
    "Satterthwaite df": 1e-5,
    "Kenward-Roger df": 1e-6,
    "anova Satterthwaite: den_df": 1e-5,
    "anova Kenward-Roger: den_df": 1e-6,
}
OTHERS = 1e-6
DDF = {"satterthwaite": "Satterthwaite", "kenward_roger": "Kenward-Roger"}


def deviations(name: str, criterion: str) -> Iterator[Deviation]:
    """Every number about one reference fit's hypotheses and intervals that this package has."""
    ours, theirs = fitted_model(name, criterion), reference(name)["fits"][criterion]
    yield from _coefficients(ours, theirs, name)
    yield from _anova(ours, theirs, name)


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
            yield relative(f"{method} se", table["se"], expected["se"])
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


def summary() -> pd.DataFrame:
    """How many numbers of each kind, and the worst deviation."""
    found = [each for name in SMALL for criterion in ("REML", "ML") for each in deviations(name, criterion)]
    frame = pd.DataFrame(found)
    return frame.groupby("kind").agg(numbers=("count", "sum"), worst=("worst", "max"))


if __name__ == "__main__":
    print(summary().to_string())

"""Every number of the stored analyses of variance is one of `bl.textbook`'s, and so are NIST's."""

import dataclasses
import json
from functools import cache
from pathlib import Path

import numpy as np
import pytest

import bayeslmm as bl
from bayeslmm.datasets.tables import read_csv

HERE = Path(__file__).parent
NIST = json.loads((HERE / "nist" / "smls.json").read_text())["problems"]
CASES = {
    name: case
    for path in sorted((HERE / "closed_form").glob("*.json"))
    for name, case in json.loads(path.read_text()).items()
}
ABOUT = {"id", "dataset", "response", "group"}


@cache
def answers(name):
    """The textbook's numbers by the stored names."""
    case = CASES[name]
    data = bl.load_dataset(case["dataset"])
    layout = bl.textbook.one_way(data[case["response"]], data[case["group"]])
    anova, reml, ml = (
        estimates(layout)
        for estimates in (bl.textbook.anova_estimates, bl.textbook.reml_estimates, bl.textbook.ml_estimates)
    )
    realized = bl.textbook.realized_means(layout, reml.var_A, reml.var_E)
    of_layout = ("k", "N", "balanced", "grand_mean", "n0", "F", "p")
    of_table = ("SSA", "SSE", "SST", "df_A", "df_E", "MSA", "MSE")
    return {
        **{each: getattr(layout, each) for each in (*of_layout, *of_table)},
        "group_sizes": layout.sizes,
        "group_means": dict(zip(map(str, layout.groups), layout.means, strict=True)),
        "anova_var_A": anova.var_A,
        "anova_var_E": anova.var_E,
        "icc_anova": anova.icc,
        "reml": dataclasses.asdict(reml) | {"theta": reml.theta},
        "ml": dataclasses.asdict(ml) | {"theta": ml.theta},
        "se_mean_reml": realized.se_mu,
        "blup_shrinkage_reml": realized.weight[0],
        "icc_ci_95_exact": bl.textbook.icc_interval(layout),
    }


def matches(stored, found):
    if isinstance(stored, dict):
        return stored.keys() == found.keys() and all(matches(stored[key], found[key]) for key in stored)
    return np.allclose(stored, found, rtol=1e-11, atol=0)


@pytest.mark.parametrize(
    ("name", "key"), [(name, key) for name, case in CASES.items() for key in case.keys() - ABOUT]
)
def test_the_number_is_the_stored_one(name, key):
    assert matches(CASES[name][key], answers(name)[key]), (CASES[name][key], answers(name)[key])


@pytest.mark.parametrize("name", NIST)
def test_the_certified_problems_keep_their_digits(name):
    """Thirteen equal leading digits leave three; sums from the first observation keep them."""
    (path,) = (HERE / "nist").glob(f"nist_{name}.*")
    data = read_csv(path, text=["treatment"])
    layout = bl.textbook.one_way(data["response"], data["treatment"])
    best, found = NIST[name]["as_float64"], bl.textbook.reml_estimates(layout)
    assert (found.var_A, found.var_E) == pytest.approx((best["var_A_reml"], best["var_E_reml"]), rel=1e-11)
    assert layout.grand_mean == pytest.approx(best["grand_mean"], rel=1e-15)


def test_a_wrong_number_would_be_seen():
    assert not matches({"var_A": 1.0}, {"var_A": 1.0 + 1e-9})
    assert not matches({"var_A": 1.0}, {"var_E": 1.0})
    assert not matches([1.0, 2.0], [1.0, 2.1])

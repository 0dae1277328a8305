"""Treatments in blocks: the closed forms beside the engine."""

import numpy as np
import pandas as pd
import pytest

import bayeslmm as bl
from bayeslmm.errors import DataError
from tests.textbook.layouts import fitted, variances

MACHINES = "score ~ Machine + (1 | Worker) + (1 | Worker:Machine)"


def machines():
    data = bl.load_dataset("Machines")
    return bl.textbook.two_way(data["score"], data["Machine"], data["Worker"])


def stools():
    data = bl.load_dataset("ergoStool")
    return bl.textbook.randomized_blocks(data["effort"], data["Type"], data["Subject"])


def simulated(seed, var_B, var_AB, a=3, b=4, n=2):
    """Rows in random order; labels that aren't numbers."""
    rng = np.random.default_rng(seed)
    i, j, _ = (grid.ravel() for grid in np.indices((a, b, n)))
    y = i + np.sqrt(var_B) * rng.normal(size=b)[j] + rng.normal(size=a * b * n)
    y += np.sqrt(var_AB) * rng.normal(size=(a, b))[i, j]
    rows = pd.DataFrame({"y": y, "A": np.array(list("pqrs"))[i], "B": np.array(list("uvwxyz"))[j]})
    return rows.sample(frac=1.0, random_state=seed)


@pytest.mark.parametrize(("criterion", "estimates"), [("REML", "reml"), ("ML", "ml")])
def test_variances_are_the_engines(criterion, estimates):
    found = getattr(machines(), estimates)()
    engine = variances(fitted(MACHINES, bl.load_dataset("Machines"), criterion))
    assert engine["Worker"] == pytest.approx(found.var_B, rel=1e-8)
    assert engine["Worker:Machine"] == pytest.approx(found.var_AB, rel=1e-8)
    assert engine["Residual"] == pytest.approx(found.var_E, rel=1e-8)


@pytest.mark.parametrize(("criterion", "estimates"), [("REML", "reml"), ("ML", "ml")])
def test_blocks_without_interaction_are_the_engines(criterion, estimates):
    found = getattr(stools(), estimates)()
    fit = fitted("effort ~ Type + (1 | Subject)", bl.load_dataset("ergoStool"), criterion)
    engine = variances(fit)
    assert (engine["Subject"], engine["Residual"]) == pytest.approx((found.var_B, found.var_E), rel=1e-8)


@pytest.mark.parametrize(("criterion", "estimates"), [("REML", "reml"), ("ML", "ml")])
@pytest.mark.parametrize(("seed", "zeros"), [(1, {"B"}), (5, {"AB"}), (4, {"B", "AB"})])
def test_negative_anova_estimates_are_pooled_as_the_engine_does(seed, zeros, criterion, estimates):
    rows = simulated(seed, 0.0, 0.0)
    layout = bl.textbook.two_way(rows["y"], rows["A"], rows["B"])
    found = getattr(layout, estimates)()
    engine = variances(fitted("y ~ A + (1 | B) + (1 | A:B)", rows, criterion))
    assert engine["Residual"] == pytest.approx(found.var_E, rel=1e-7)
    assert engine["B"] == pytest.approx(found.var_B, rel=1e-6, abs=1e-7)
    assert engine["A:B"] == pytest.approx(found.var_AB, rel=1e-6, abs=1e-7)
    if criterion == "REML":
        assert {name for name in ("B", "AB") if getattr(found, f"var_{name}") == 0} == zeros


def test_the_F_test_of_treatments_is_the_engines():
    for layout, fit in (
        (machines(), fitted(MACHINES, bl.load_dataset("Machines"))),
        (stools(), fitted("effort ~ Type + (1 | Subject)", bl.load_dataset("ergoStool"))),
    ):
        row = fit.anova(ddf="kenward-roger").iloc[0]
        assert row["F"] == pytest.approx(layout.F["A"], rel=1e-7)
        assert row["den_df"] == pytest.approx(layout.strata[-2].df, rel=1e-5)
        assert row["p"] == pytest.approx(layout.p["A"], rel=1e-5)


def test_sums_of_squares_add_up():
    layout, rows = machines(), bl.load_dataset("Machines")
    total = np.sum((rows["score"] - rows["score"].mean()) ** 2)
    assert layout.table["SS"].sum() == pytest.approx(total, rel=1e-12)
    assert layout.table["df"].sum() == len(rows) - 1


@pytest.mark.parametrize("interaction", [True, False])
def test_expected_mean_squares_are_traces(interaction):
    """Mean squares as quadratic forms of projections onto cells, margins and the mean."""
    rows = simulated(0, 1.0, 1.0)
    make = bl.textbook.two_way if interaction else bl.textbook.randomized_blocks
    layout = make(rows["y"], rows["A"], rows["B"])
    truth = bl.textbook.BlockComponents(2.0, 0.5 if interaction else 0.0, 1.0)
    A, B, AB = (
        np.equal.outer(key, key) * 1.0 for key in (*map(np.asarray, (rows["A"], rows["B"])), cells(rows))
    )
    V = truth.var_B * B + truth.var_AB * AB + truth.var_E * np.eye(len(rows))
    mean = rows["A"].map({"p": 0.0, "q": 1.0, "r": 5.0}).to_numpy() + 3.0
    P_A, P_B, P_AB, P_1 = (block / block.sum(axis=1) for block in (A, B, AB, np.ones_like(A)))
    inside = P_AB - P_A - P_B + P_1
    forms = {"A": P_A - P_1, "B": P_B - P_1, "AB": inside, "E": np.eye(len(rows)) - P_AB}
    if not interaction:
        forms["E"] = forms["E"] + forms.pop("AB")
    expected = layout.expected_mean_squares(truth, [0.0, 1.0, 5.0])
    assert expected.keys() == forms.keys()
    for name, form in forms.items():
        df = np.trace(form)
        found = bl.textbook.expected_quadratic_form(form, V, mean) / df
        assert found == pytest.approx(expected[name], rel=1e-10)
        y = rows["y"].to_numpy()
        assert y @ form @ y == pytest.approx(layout.table.loc[name, "SS"], rel=1e-9)


def cells(rows):
    return (rows["A"] + rows["B"]).to_numpy()


def test_realized_cells_are_the_engines_predictions():
    data = bl.load_dataset("Machines")
    layout = machines()
    fit = fitted(MACHINES, data)
    cells = layout.realized_cells(layout.reml())
    rows, columns = (pd.Index(labels) for labels in (layout.treatments, layout.blocks))
    expected = cells[rows.get_indexer(data["Machine"]), columns.get_indexer(data["Worker"])]
    np.testing.assert_allclose(fit.fitted, expected, rtol=1e-8)


def test_unequal_cells_are_refused():
    rows = simulated(0, 1.0, 1.0).iloc[1:]
    with pytest.raises(DataError, match="1 to 2 observations"):
        bl.textbook.two_way(rows["y"], rows["A"], rows["B"])


def test_other_bad_layouts_are_refused():
    data = bl.load_dataset("ergoStool")
    with pytest.raises(DataError, match="can't be told apart"):
        bl.textbook.two_way(data["effort"], data["Type"], data["Subject"])
    with pytest.raises(DataError, match="explain y without error"):
        bl.textbook.randomized_blocks([0.1, 0.2, 0.3, 0.4], ["a", "a", "b", "b"], ["c", "d", "c", "d"])
    with pytest.raises(DataError, match="explain y without error"):
        bl.textbook.two_way(
            [0.1, 0.1, 0.3, 0.3, 5.0, 5.0, 1.0, 1.0], [1, 1, 1, 1, 2, 2, 2, 2], [1, 1, 2, 2] * 2
        )
    with pytest.raises(DataError, match="1 treatments"):
        bl.textbook.randomized_blocks([1.0, 2.0], ["a", "a"], ["b", "c"])

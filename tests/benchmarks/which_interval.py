"""Which interval to trust, by cell: the study of docs/calibration.md.

    python -m tests.benchmarks.which_interval 1000 --folder FOLDER

Groups of about five rows, 6 to 48 of them, intraclass correlations of 0.05 and 0.2, balanced or not; one
covariate of groups (x) and one of rows (w), with effects of 0.3 and 0.2. Every cell is a store in FOLDER, and
the same command goes on where it was cut off. Writes docs/_benchmarks/which_interval.md.
"""

import argparse
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd

import bayeslmm as bl
from bayeslmm.parity.calibration.result import Calibration

PAGE = Path(__file__).parents[2] / "docs" / "_benchmarks" / "which_interval.md"
GROUPS, ICC, SIZE = (6, 12, 24, 48), (0.05, 0.2), 5
UNEVEN = (1, 3, 5, 7, 9)
SHOWN = {"x (groups)": "beta[x]", "w (rows)": "beta[w]", "sd of groups": "sd[g: Intercept]", "sigma": "sigma"}


def design(groups: int, balanced: bool) -> pd.DataFrame:
    """Rows of one cell; its covariates are the same whatever the intraclass correlation."""
    rng = np.random.default_rng(groups)
    sizes = [SIZE] * groups if balanced else [UNEVEN[j % len(UNEVEN)] for j in range(groups)]
    g = np.repeat(np.arange(groups), sizes)
    x, w = rng.permutation(np.linspace(-1.5, 1.5, groups))[g], rng.normal(size=len(g))
    return pd.DataFrame({"y": rng.normal(size=len(g)), "x": x, "w": w, "g": [f"g{j:02d}" for j in g]})


def cell(groups: int, icc: float, balanced: bool, n: int, folder: Path) -> Calibration:
    """One cell's study; the total variance is 1."""
    model = bl.LinearMixedModel("y ~ x + w + (1 | g)", design(groups, balanced))
    truth = {"beta[Intercept]": 0.0, "beta[x]": 0.3, "beta[w]": 0.2}
    truth |= {"sd[g: Intercept]": np.sqrt(icc), "sigma": np.sqrt(1 - icc)}
    store = folder / f"{groups}-{icc}-{'balanced' if balanced else 'uneven'}"
    return bl.calibrate(model, truth=truth, n=n, seed=1, store=store)


def rows(groups: int, icc: float, balanced: bool, found: Calibration) -> pd.DataFrame:
    """Coverage of one cell, one row an estimand, one column a method."""
    coverage = found.table["coverage"].unstack("method")[[*found.methods]]
    chosen = coverage.loc[list(SHOWN.values())].set_axis(list(SHOWN))
    about = {"groups": groups, "ICC": icc, "sizes": "even" if balanced else "uneven"}
    return chosen.rename_axis("estimand").reset_index().assign(**about, singular=found.singular)


def main() -> None:
    """Run the cells that are wanted and write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("n", type=int, nargs="?", default=1000)
    parser.add_argument("--folder", type=Path, default=Path("which_interval"))
    asked = parser.parse_args()
    asked.folder.mkdir(parents=True, exist_ok=True)
    cells = product((True, False), ICC, GROUPS)
    tables = [
        rows(groups, icc, balanced, cell(groups, icc, balanced, asked.n, asked.folder))
        for balanced, icc, groups in cells
    ]
    table = pd.concat(tables).set_index(["estimand", "sizes", "ICC", "groups"]).sort_index(kind="stable")
    error = 100 * np.sqrt(0.95 * 0.05 / asked.n)
    text = (
        f"{markdown(table.reset_index())}\n\n{asked.n} data sets a cell; Monte Carlo error {error:.1f} %.\n"
    )
    PAGE.write_text(text)
    print(text)


def markdown(table: pd.DataFrame) -> str:
    """The table as lines of Markdown; a method that says nothing of an estimand leaves it empty."""
    lines = [list(table.columns), ["---"] * table.shape[1]]
    lines += [[_cell(value) for value in row] for row in table.itertuples(index=False)]
    return "\n".join("| " + " | ".join(map(str, line)) + " |" for line in lines)


def _cell(value: object) -> str:
    if not isinstance(value, float):
        return str(value)
    return "" if np.isnan(value) else f"{value:.3f}"


if __name__ == "__main__":
    main()

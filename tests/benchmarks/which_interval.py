"""Which interval to trust, by cell: the study of docs/calibration.md.

    python -m tests.benchmarks.which_interval 1000 --folder FOLDER

Groups of about five rows, 6 to 48 of them, intraclass correlations of 0.05 and 0.2, balanced or not; one
covariate of groups (x) and one of rows (w), with effects of 0.3 and 0.2. Every cell is a store in FOLDER, and
the same command goes on where it was cut off. Writes docs/_benchmarks/which_interval.md and the figure
docs/_static/which_interval.png, for which headless Chromium is needed.
"""

import argparse
import shutil
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from plotly.graph_objects import Figure
from plotly.subplots import make_subplots

import bayeslmm as bl
from bayeslmm.parity.calibration.result import Calibration
from bayeslmm.render.style import INK, LIKELIHOOD, NEUTRAL, POSTERIOR, axis, finish

DOCS = Path(__file__).parents[2] / "docs"
GROUPS, ICC, SIZE = (6, 12, 24, 48), (0.05, 0.2), 5
UNEVEN = (1, 3, 5, 7, 9)
SHOWN = {
    "The effect of a covariate of groups, x": "beta[x]",
    "The effect of a covariate of rows, w": "beta[w]",
    "The standard deviation of groups": "sd[g: Intercept]",
    "sigma": "sigma",
}
ML = "z (ML)"
LOOKS = {
    ML: (NEUTRAL, "dot", "x"),
    "z": (NEUTRAL, "solid", "circle"),
    "satterthwaite": (LIKELIHOOD, "solid", "circle"),
    "kenward-roger": (LIKELIHOOD, "dash", "diamond"),
    "deviance": (INK, "solid", "square"),
    "bootstrap": (INK, "dash", "triangle-up"),
    "eti": (POSTERIOR, "solid", "circle"),
    "hdi": (POSTERIOR, "dash", "diamond"),
}


class Cell(NamedTuple):
    """One design: its number of groups, intraclass correlation, and whether groups are of one size."""

    groups: int
    icc: float
    balanced: bool

    @property
    def sizes(self) -> str:
        """In words."""
        return "even" if self.balanced else "uneven"


def design(groups: int, balanced: bool) -> pd.DataFrame:
    """Rows of one cell; its covariates are the same whatever the intraclass correlation."""
    rng = np.random.default_rng(groups)
    sizes = [SIZE] * groups if balanced else [UNEVEN[j % len(UNEVEN)] for j in range(groups)]
    g = np.repeat(np.arange(groups), sizes)
    x, w = rng.permutation(np.linspace(-1.5, 1.5, groups))[g], rng.normal(size=len(g))
    return pd.DataFrame({"y": rng.normal(size=len(g)), "x": x, "w": w, "g": [f"g{j:02d}" for j in g]})


def studied(cell: Cell, n: int, folder: Path) -> tuple[Calibration, Calibration]:
    """One cell's study by the default methods, and z's intervals of ML fits; the total variance is 1."""
    model = bl.LinearMixedModel("y ~ x + w + (1 | g)", design(cell.groups, cell.balanced))
    truth = {"beta[Intercept]": 0.0, "beta[x]": 0.3, "beta[w]": 0.2}
    truth |= {"sd[g: Intercept]": np.sqrt(cell.icc), "sigma": np.sqrt(1 - cell.icc)}
    store = folder / f"{cell.groups}-{cell.icc}-{'balanced' if cell.balanced else 'uneven'}"
    asked = {"truth": truth, "n": n, "seed": 1}
    usual = bl.calibrate(model, **asked, store=store)
    return usual, bl.calibrate(
        model, **asked, methods=["z"], criterion="ML", store=store.with_name(f"{store.name}-ML")
    )


def rows(cell: Cell, usual: Calibration, by_ml: Calibration) -> Iterator[dict[str, object]]:
    """One cell: coverage of every method, the trusted one, and the share of singular fits, by estimand."""
    coverage = usual.table["coverage"].unstack("method")[[*usual.methods]]
    for name, label in SHOWN.items():
        found = {ML: by_ml.table["coverage"].get((label, "z"), np.nan), **coverage.loc[label]}
        about = {"estimand": name, "sizes": cell.sizes, "ICC": cell.icc, "groups": cell.groups}
        yield about | found | {"trusted": usual.trust["method"][label], "singular": usual.singular}


def main() -> None:
    """Run the cells that are wanted, write the page and draw the figure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("n", type=int, nargs="?", default=1000)
    parser.add_argument("--folder", type=Path, default=Path("which_interval"))
    asked = parser.parse_args()
    asked.folder.mkdir(parents=True, exist_ok=True)
    cells = [Cell(groups, icc, balanced) for balanced, icc, groups in product((True, False), ICC, GROUPS)]
    table = pd.DataFrame(row for cell in cells for row in rows(cell, *studied(cell, asked.n, asked.folder)))
    (DOCS / "_benchmarks" / "which_interval.md").write_text(page(table, asked.n))
    picture(figure(table), DOCS / "_static" / "which_interval.png")


def page(table: pd.DataFrame, n: int) -> str:
    """A table an estimand."""
    error = 100 * np.sqrt(0.95 * 0.05 / n)
    parts = [f"Coverage of 95 % intervals in %, {n} data sets a cell, Monte Carlo error {error:.1f} %."]
    for name in SHOWN:
        own = table[table["estimand"] == name].drop(columns="estimand").dropna(axis=1, how="all")
        parts.append(f"**{name}**\n\n{markdown(own)}")
    return "\n\n".join(parts) + "\n"


def markdown(table: pd.DataFrame) -> str:
    """The table as lines of Markdown, shares in per cent."""
    lines = [list(table.columns), ["---"] * table.shape[1]]
    lines += [[_shown(*each) for each in row.items()] for _, row in table.iterrows()]
    return "\n".join("| " + " | ".join(map(str, line)) + " |" for line in lines)


def _shown(column: str, value: object) -> str:
    return f"{100 * value:.1f}" if column in (*LOOKS, "singular") else str(value)


def figure(table: pd.DataFrame) -> Figure:
    """Coverage over groups: a row an estimand, a column an intraclass correlation and kind of sizes."""
    columns = list(product(ICC, ("even", "uneven")))
    titles = [f"ICC {icc:g}, {sizes} sizes" for icc, sizes in columns]
    drawn = make_subplots(
        len(SHOWN),
        len(columns),
        shared_xaxes="all",
        shared_yaxes="rows",
        subplot_titles=titles,
        row_titles=[label.partition(" of groups")[0] for label in SHOWN.values()],
        horizontal_spacing=0.02,
        vertical_spacing=0.03,
    )
    for (row, name), (column, (icc, sizes)) in product(enumerate(SHOWN, 1), enumerate(columns, 1)):
        own = table[(table["estimand"] == name) & (table["ICC"] == icc) & (table["sizes"] == sizes)]
        for method, (colour, dash, symbol) in LOOKS.items():
            drawn.add_scatter(
                x=own["groups"].astype(str),
                y=own[method],
                name=method,
                legendgroup=method,
                showlegend=(row, column) == (1, 1),
                mode="lines+markers",
                line={"color": colour, "dash": dash, "width": 1.5},
                marker={"color": colour, "symbol": symbol, "size": 7},
                row=row,
                col=column,
            )
        drawn.add_hline(y=0.95, line={"color": INK, "width": 1, "dash": "dot"}, row=row, col=column)
    drawn.update_xaxes(**axis(type="category"))
    drawn.update_xaxes(title_text="groups", row=len(SHOWN))
    drawn.update_yaxes(**axis(tickformat=".0%", range=[0.82, 1.005]))
    drawn.update_annotations(font_size=13)
    return finish(drawn, 980, top=30)


def picture(drawn: Figure, path: Path) -> None:
    """A figure as PNG, by headless Chromium."""
    from playwright.sync_api import sync_playwright

    html = drawn.to_html(include_plotlyjs=True, config={"displayModeBar": False})
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=shutil.which("chromium"))
        shown = browser.new_page(viewport={"width": 1000, "height": 1000}, device_scale_factor=1.5)
        shown.set_content(html)
        shown.wait_for_selector(".main-svg")
        shown.screenshot(path=path)
        browser.close()


if __name__ == "__main__":
    main()

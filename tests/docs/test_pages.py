"""What the pages show runs."""

import re
from pathlib import Path

import pandas as pd
import pytest

import bayeslmm as bl

DOCS = Path(__file__).parents[2] / "docs"
BLOCK = re.compile(r"^```(?:python|\{code-cell\}.*)\n((?:.*\n)*?)```", flags=re.M)
QUICK = ("formulas", "install", "singular", "start")  # each a second or two


def blocks(page: Path) -> str:
    """Code of a page, with fewer data sets than a reader makes; cells' options are no code."""
    code = "\n".join(BLOCK.findall(page.read_text())).replace("n=1000", "n=20")
    return re.sub(r"^:tags:.*$", "", code, flags=re.M)


PAGES = [page for page in sorted(DOCS.glob("*.md")) if blocks(page)]


@pytest.mark.filterwarnings("ignore::bayeslmm.errors.BayesLMMWarning")
@pytest.mark.parametrize(
    "page",
    [
        pytest.param(page, marks=() if page.stem in QUICK else pytest.mark.slow, id=page.stem)
        for page in PAGES
    ],
)
def test_blocks_of_a_page_run(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    exec(compile(blocks(page), page.name, "exec"), {})


def sections(page: str) -> dict[str, list[str]]:
    """Code of the right column of each section's table."""
    out: dict[str, list[str]] = {}
    for title, text in re.findall(
        r"^## (.+?)\n(.*?)(?=^## |\Z)", (DOCS / page).read_text(), flags=re.M | re.S
    ):
        rows = [re.split(r"(?<!\\)\|", line) for line in text.splitlines() if line.startswith("| ")]
        cells = [row[2].strip() for row in rows[1:] if not row[2].strip().startswith(":")]
        out[title] = [cell.strip("`").replace("\\|", "|") for cell in cells]
    return out


@pytest.fixture
def names():
    """What the lines of `from_r` are written with."""
    import bambi

    sleepstudy = bl.load_dataset("sleepstudy")
    frame = bl.load_dataset("Dyestuff").rename(columns={"Yield": "y", "Batch": "batch"})
    model = bl.LinearMixedModel("Reaction ~ Days + (Days | Subject)", sleepstudy)
    return {
        "bl": bl,
        "pd": pd,
        "sleepstudy": sleepstudy,
        "ovary": bl.load_dataset("Ovary"),
        "fev": bl.load_dataset("fev"),
        "machines": bl.load_dataset("Machines"),
        "dyestuff": bl.load_dataset("Dyestuff"),
        "frame": frame.assign(w=1.0, o=0.0),
        "bambi_model": bambi.Model(
            "Reaction ~ Days + (1 | Subject)", sleepstudy, center_predictors=False, noncentered=False
        ),
        "model": model,
        "fit": model.fit(),
    }


@pytest.mark.parametrize("title", sections("from_r.md"))
def test_lines_of_the_table_run(title, names):
    for line in sections("from_r.md")[title]:
        exec(compile(line, f"from_r.md: {line}", "exec"), names)

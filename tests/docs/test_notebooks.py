"""Every notebook runs, and stands among the pages."""

import re
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

ROOT = Path(__file__).parents[2]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))


@pytest.mark.slow
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_runs(path):
    NotebookClient(nbformat.read(path, as_version=4), timeout=600).execute(cwd=path.parent)


def test_every_notebook_is_a_page():
    listed = re.findall(r"^notebooks/(\w+)$", (ROOT / "docs" / "index.md").read_text(), flags=re.M)
    assert sorted(listed) == [path.stem for path in NOTEBOOKS]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_is_kept_without_outputs(path):
    assert not any(cell.get("outputs") for cell in nbformat.read(path, as_version=4).cells)

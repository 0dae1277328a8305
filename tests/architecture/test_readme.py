"""The README keeps its word."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


def test_the_test_command_is_where_ci_looks_for_it():
    commands = [line for line in PAGES[0].read_text().splitlines() if line.endswith("pytest")]
    assert len(commands) == 1
    assert "pip install" in commands[0]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_to_files_lead_somewhere(page):
    targets = re.findall(r"\]\((?!https?:|#)([^)#]+)", page.read_text())
    assert [target for target in targets if not (page.parent / target).exists()] == []


def test_the_example_runs_as_printed(tmp_path, monkeypatch, capsys):
    (example,) = re.findall(r"```python\n(.*?)```", PAGES[0].read_text(), flags=re.DOTALL)
    monkeypatch.chdir(tmp_path)
    exec(compile(example, "README.md", "exec"), {})
    assert "beta[Days]" in capsys.readouterr().out
    assert (tmp_path / "parity.html").exists()

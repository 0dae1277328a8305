"""The declared dependencies are those that are imported."""

import ast
import re
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
# xarray takes its major version from the calendar, so no next one can be named.
UNBOUNDED = {"xarray"}


def test_what_is_declared_is_imported_and_the_other_way_round():
    needed = {_name(requirement) for requirement in PROJECT["dependencies"]}
    extras = PROJECT["optional-dependencies"]
    wanted = {_name(each) for name in extras.keys() - {"test", "docs"} for each in extras[name]}
    assert needed <= _imported() <= needed | wanted


@pytest.mark.parametrize("requirement", PROJECT["dependencies"])
def test_dependency_is_bounded(requirement):
    assert ">=" in requirement
    assert "<" in requirement or _name(requirement) in UNBOUNDED


def _imported():
    """Distributions whose modules the package imports, lazily or not."""
    distributions = packages_distributions()
    modules = {name for path in (ROOT / "bayeslmm").rglob("*.py") for name in _top_level(path)}
    foreign = modules - sys.stdlib_module_names - {"bayeslmm"}
    return {distributions.get(name, [name])[0].lower() for name in foreign}  # an extra may not be installed


def _top_level(path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module.partition(".")[0]


def _name(requirement):
    return re.split(r"[<>=~\[ ]", requirement)[0].lower()

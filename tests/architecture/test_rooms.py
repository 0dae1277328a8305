"""Imports run one way through the rooms."""

import ast
import re
import tomllib
from pathlib import Path

import pytest
from importlinter.cli import lint_imports

ROOT = Path(__file__).parents[2]
CONTRACTS = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
LAYERS = {
    container: contract["layers"]
    for contract in CONTRACTS
    if contract["type"] == "layers"
    for container in contract["containers"]
}


def test_import_contracts_are_kept(monkeypatch):
    monkeypatch.chdir(ROOT)
    assert lint_imports(config_filename="pyproject.toml", no_cache=True) == 0


@pytest.mark.parametrize(("container", "layers"), LAYERS.items(), ids=LAYERS)
def test_everything_is_in_the_layers(container, layers):
    """A room, or a part of one, that no layer names would be free to import anything."""
    parts = {path.stem for path in (ROOT / container.replace(".", "/")).iterdir() if _is_room(path)}
    assert parts - set(re.findall(r"\w+", " ".join(layers))) == set()


MAP = (ROOT / "docs" / "architecture.md").read_text()


@pytest.mark.parametrize(("container", "layers"), LAYERS.items(), ids=LAYERS)
def test_everything_is_on_the_map(container, layers):
    """docs/architecture.md names every layer where it speaks of the room."""
    room = container.split(".")[1:2]
    told = re.search(rf"^{room[0]}/ .*?(?=^\S)", MAP, flags=re.M | re.S)[0] if room else MAP
    assert set(re.findall(r"\w+", " ".join(layers))) - set(re.findall(r"\w+", told)) == set()


def _is_room(path: Path) -> bool:
    if path.is_dir():
        return (path / "__init__.py").exists()
    return path.suffix == ".py" and path.stem != "__init__"


# import-linter takes whole external packages only, and parity may use the rest of scipy.
@pytest.mark.parametrize(
    "path", sorted((ROOT / "bayeslmm" / "parity").rglob("*.py")), ids=lambda path: path.name
)
def test_parity_optimizes_nothing(path):
    assert "scipy.optimize" not in set(_imported(ast.parse(path.read_text())))


def _imported(tree):
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)

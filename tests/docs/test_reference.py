"""The reference holds every public name."""

import re
from importlib import import_module
from pathlib import Path

import bayeslmm as bl

PAGES = Path(__file__).parents[2] / "docs" / "api"


def shown(directive: str) -> list[str]:
    """What the pages give a directive of autodoc."""
    text = "\n".join(page.read_text() for page in PAGES.glob("*.md"))
    return re.findall(rf"^\.\. auto(?:{directive}):: ([\w.]+)", text, flags=re.M)


def test_every_public_name_stands_in_the_reference():
    modules = shown("module")
    inside = {name for module in modules for name in vars(import_module(module))}
    alone = {name.rpartition(".")[2] for name in [*modules, *shown("class|function")]}
    assert set(bl.__all__) - inside - alone == {"__version__"}

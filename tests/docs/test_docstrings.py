"""Examples in docstrings give what they say; those of the closed forms have a test of their own."""

import doctest
import re
from importlib import import_module
from pathlib import Path

import pandas as pd
import pytest

ROOT = Path(__file__).parents[2]
FILES = sorted((ROOT / "bayeslmm").rglob("*.py"))
SHOWN = [path for path in FILES if re.search(r"^ *>>> ", path.read_text(encoding="utf-8"), flags=re.M)]
MODULES = [
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
    for path in SHOWN
    if "textbook" not in path.parts
]
LONG = {"bayeslmm.model"}


@pytest.mark.filterwarnings("ignore::bayeslmm.errors.BayesLMMWarning")
@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.slow if name in LONG else ()) for name in MODULES]
)
def test_examples_give_what_they_say(name):
    with pd.option_context("display.width", 120):
        found = doctest.testmod(import_module(name), optionflags=doctest.NORMALIZE_WHITESPACE)
    assert found.attempted > 0
    assert found.failed == 0

"""Examples give what they print, every public function has one, and closed forms call no engine."""

import ast
import doctest
import importlib
import pkgutil
from pathlib import Path

import pytest

import bayeslmm as bl

MODULES = [module.name for module in pkgutil.walk_packages(bl.textbook.__path__, "bayeslmm.textbook.")]
FUNCTIONS = [name for name in bl.textbook.__all__ if not isinstance(getattr(bl.textbook, name), type)]
USERS_OF_ENGINES = {"figures", "lecture_notes"}
ENGINES = ("bayeslmm.likelihood", "bayeslmm.posterior", "bayeslmm.kernel")


@pytest.mark.parametrize("name", MODULES)
def test_examples_give_what_they_print(name):
    module = importlib.import_module(name)
    assert doctest.testmod(module).failed == 0


@pytest.mark.parametrize("name", FUNCTIONS)
def test_functions_are_documented_with_an_example(name):
    assert ">>> " in getattr(bl.textbook, name).__doc__


@pytest.mark.parametrize("name", sorted({name.rpartition(".")[2] for name in MODULES} - USERS_OF_ENGINES))
def test_closed_forms_call_no_engine(name):
    tree = ast.parse((Path(bl.textbook.__path__[0]) / f"{name}.py").read_text())
    imported = [node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    assert [module for module in imported if module.startswith(ENGINES)] == []

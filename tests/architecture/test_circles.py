"""No file imports, even indirectly, a file that imports it: lazy imports and those of types count."""

import ast
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def test_no_file_imports_its_reader():
    """A sorting exists: every strongly connected component is one file."""
    imports = imports_of(ROOT)
    assert len(imports) > 100
    assert sum(map(len, imports.values())) > 300
    TopologicalSorter(imports).prepare()


FORMS = {
    "plain": "import bayeslmm.b",
    "from": "from bayeslmm.b import name",
    "module": "from bayeslmm import b",
    "relative": "from .b import name",
    "lazy": "def f():\n    from bayeslmm.b import name",
    "types": "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from bayeslmm.b import name",
    "method": "class C:\n    def f(self):\n        import bayeslmm.b as b",
}


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_a_circle_is_found_however_it_is_written(form, tmp_path):
    package = tmp_path / "bayeslmm"
    package.mkdir()
    for name, text in (("__init__", ""), ("a", form), ("b", "from bayeslmm.c import name"), ("c", "")):
        (package / f"{name}.py").write_text(text)
    TopologicalSorter(imports_of(tmp_path)).prepare()
    (package / "c.py").write_text("from bayeslmm.a import name")
    with pytest.raises(CycleError):
        TopologicalSorter(imports_of(tmp_path)).prepare()


def imports_of(root):
    """The modules of the package, each with those of them that it imports anywhere in its text."""
    paths = {_name(path.relative_to(root)): path for path in (root / "bayeslmm").rglob("*.py")}
    return {name: _imports(name, path, paths.keys()) for name, path in paths.items()}


def _name(path):
    return ".".join(path.with_suffix("").parts).removesuffix(".__init__")


def _imports(name, path, modules):
    package = name if path.stem == "__init__" else name.rpartition(".")[0]
    found = {each for node in ast.walk(ast.parse(path.read_text())) for each in _named(node, package)}
    return {_module(each, modules) for each in found} - {None, name}


def _named(node, package):
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        above = package.split(".")[: 1 - node.level or None] if node.level else []
        base = ".".join([*above, *([node.module] if node.module else [])])
        yield from (f"{base}.{alias.name}" for alias in node.names)


def _module(name, modules):
    """The module a dotted name is, or is a name of."""
    return name if name in modules else parent if (parent := name.rpartition(".")[0]) in modules else None

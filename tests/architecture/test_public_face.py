"""What `import bayeslmm` is: every public name, and no engine."""

import ast
import json
import subprocess
import sys
from pathlib import Path

import pytest

import bayeslmm as bl

HEAVY = (
    "pymc",
    "pytensor",
    "nutpie",
    "numba",
    "arviz",
    "matplotlib",
    "plotly",
    "formulaic",
    "scipy.stats",
    "typer",
)

MEASURE = """
import json, sys, time
import pandas
before, start = set(sys.modules), time.perf_counter()
import bayeslmm
seconds = time.perf_counter() - start
print(json.dumps({"seconds": seconds, "loaded": sorted(set(sys.modules) - before)}))
"""


@pytest.fixture(scope="module")
def light_import():
    """Modules that `import bayeslmm` adds to pandas in a new process, and the seconds it takes."""
    run = subprocess.run([sys.executable, "-c", MEASURE], capture_output=True, text=True, check=True)
    return json.loads(run.stdout)


@pytest.mark.parametrize("module", HEAVY)
def test_import_loads_no_engine(light_import, module):
    assert module not in light_import["loaded"]


def test_import_time_is_reported(light_import, record_testsuite_property):
    record_testsuite_property("import_seconds_beyond_pandas", light_import["seconds"])
    assert "bayeslmm" in light_import["loaded"]


@pytest.mark.parametrize("name", bl.__all__)
def test_every_public_name_resolves(name):
    assert getattr(bl, name) is not None
    assert name in dir(bl)


def test_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="has no 'LinearMixedModle'; did you mean 'LinearMixedModel'"):
        _ = bl.LinearMixedModle


def test_type_checkers_see_the_names_that_are_public():
    tree = ast.parse(Path(bl.__file__).read_text())
    (block,) = (node for node in tree.body if isinstance(node, ast.If))
    seen = {alias.name for line in block.body for alias in line.names}
    assert seen == set(bl.__all__) - {"__version__"}
    assert seen == set(bl._HOMES) | set(bl._ROOMS)

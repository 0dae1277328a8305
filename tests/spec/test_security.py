"""A formula runs no Python: what isn't in its language is refused, in every place where a term may stand."""

import os
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from bayeslmm.errors import BayesLMMError, FormulaError, OptionError
from bayeslmm.spec.build import build
from bayeslmm.spec.model_spec import ModelSpec

INJECTIONS = [
    "__import__('os').system('touch harmed')",
    "__import__('os')",
    "open('harmed', 'w')",
    "eval('1')",
    "exec('import os')",
    "exit()",
    "quit()",
    "globals()",
    "vars()",
    "getattr(x, 'shape')",
    "type(x)",
    "().__class__",
    "(x).__class__",
    "x.__class__",
    "x.__class__.__mro__",
    "''.__class__",
    "[].__class__.__base__",
    "lambda: 1",
    "(lambda: x)()",
    "[x for x in (1, 2)]",
    "{x: x}",
    "(y := x)",
    "f'{x}'",
    "f'{open(1)}'",
    "x[0]",
    "x[:]",
    "np.load('harmed')",
    "np.fromfile('harmed')",
    "np.save('harmed', x)",
    "np.lib.format.open_memmap('harmed')",
    "np.ctypeslib.load_library('libc')",
    "np.log.__class__(x)",
    "np.frompyfunc(x, 1, 1)",
    "x.tofile('harmed')",
    "x.mean()",
    "x if x else x",
    "x; x",
    "x @ x",
    "*x",
    "**x",
    "log(x, out=x)",
    "np.log(x, out=x)",
    "np.exp(x, where=x)",
    "yield x",
    "await x",
    "import os",
    "`__import__`('os')",
    "pd.read_pickle('harmed')",
    "hashed(x)",
    "contr.__class__(x)",
    "x\n\n__import__('os')",
    "bs(x, df=1e9)",
    "poly(x, 1e9)",
    "bs(x, degree=1e6)",
]
PLACES = [
    "y ~ I({})",
    "y ~ {}",
    "y ~ x + (I({}) | g)",
    "I({}) ~ x",
    "y ~ offset({})",
    "y ~ log({})",
    "y ~ {{{}}}",
]


@pytest.fixture
def data() -> pd.DataFrame:
    x = np.linspace(1.0, 2.0, 24)
    return pd.DataFrame({"y": np.sin(7 * x), "x": x, "g": np.repeat(list("abcdef"), 4)})


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("injection", INJECTIONS)
def test_refused(
    injection: str, place: str, data: pd.DataFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    before = data.copy()
    with pytest.raises(BayesLMMError):
        build(ModelSpec(place.format(injection)), data)
    assert not os.listdir(tmp_path)
    pd.testing.assert_frame_equal(data, before)


@pytest.mark.parametrize(
    "name", ["__class__", "__builtins__", "__import__", "__FORMULAIC_STATE__", "x.__class__"]
)
def test_a_column_may_be_called_so(name: str, data: pd.DataFrame) -> None:
    design = build(ModelSpec(f"y ~ log(`{name}`)"), data.rename(columns={"x": name})).design
    np.testing.assert_array_equal(design.X[:, 1], np.log(data["x"]))
    with pytest.raises(BayesLMMError, match="is not in the data"):
        build(ModelSpec(f"y ~ log(`{name}`)"), data)


def test_the_refusal_says_what_is_allowed() -> None:
    with pytest.raises(FormulaError, match=r"'x.__class__': attributes.*columns, numbers.*functions="):
        ModelSpec("y ~ I(x.__class__)")
    with pytest.raises(FormulaError, match=r"function .__import__. isn.t known to formulas.*functions="):
        ModelSpec("y ~ I(__import__('os'))")


@pytest.mark.parametrize("power", ["9**9**9**9", "9^9^9^9^9", "1e308 * 10", "10 ** 400"])
def test_huge_numbers_are_infinite_at_once(power: str, data: pd.DataFrame) -> None:
    with pytest.raises(BayesLMMError, match="inf"):
        build(ModelSpec(f"y ~ I(x + {power})"), data)


@pytest.mark.parametrize(
    "code",
    ["(" * 5000 + "x" + ")" * 5000, "-" * 5000 + "x", "x" + " + x" * 5000, "x" + "**x" * 5000, "log(" * 500],
)
def test_depth_is_bounded(code: str, data: pd.DataFrame) -> None:
    with pytest.raises(FormulaError):
        build(ModelSpec(f"y ~ I({code})"), data)


def test_own_functions_are_called_by_name(data: pd.DataFrame) -> None:
    def twice(x: Any) -> Any:
        x *= 2
        return x

    built = build(ModelSpec("twice(y) ~ twice(x) + (twice(x) | g)", functions={"twice": twice}), data)
    np.testing.assert_allclose(built.design.X[:, 1], 2 * data["x"])
    np.testing.assert_allclose(built.design.y, 2 * data["y"])
    np.testing.assert_allclose(built.recipe.replay(data.head(3)).X[:, 1], 2 * data["x"].head(3))
    assert built.recipe.trained["fixed"].functions == {"twice": twice}
    assert data["x"].iloc[0] == 1.0
    with pytest.raises(FormulaError, match="'twice' isn't known"):
        ModelSpec("y ~ twice(x)")


def test_own_functions_go_first_and_may_fail(data: pd.DataFrame) -> None:
    design = build(ModelSpec("y ~ log(x)", functions={"log": np.sqrt}), data).design
    np.testing.assert_array_equal(design.X[:, 1], np.sqrt(data["x"]))
    for broken in (lambda x: 1 / 0, lambda x: x[:3], lambda x: "text", lambda: 1):
        with pytest.raises(FormulaError):
            build(ModelSpec("y ~ f(x)", functions={"f": broken}), data)
    for wrong in ({"f": 3}, {"a b": abs}, {3: abs}):
        with pytest.raises(OptionError, match="functions= is a mapping"):
            ModelSpec("y ~ x", functions=wrong)  # type: ignore[arg-type]

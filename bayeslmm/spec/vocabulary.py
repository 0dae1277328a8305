"""The words a formula may use besides the data's columns."""

import builtins
from collections.abc import Mapping
from functools import cache
from typing import Any

from bayeslmm.errors import FormulaError, did_you_mean


@cache
def additions() -> Mapping[str, Any]:
    """What R users write that formulaic doesn't know."""
    import numpy as np

    functions = ("sqrt", "abs", "sin", "cos", "tan", "log1p", "expm1", "round", "floor", "exp")
    return {"TRUE": True, "FALSE": False, "pi": np.pi} | {name: getattr(np, name) for name in functions}


@cache
def vocabulary() -> Mapping[str, Any]:
    """Every word: ours, formulaic's transforms, Python's builtins."""
    from formulaic.transforms import TRANSFORMS

    return {**vars(builtins), **TRANSFORMS, **additions()}


def check_function(name: str, formula: str, at: int) -> None:
    """Raise FormulaError when a formula calls a function nobody defined."""
    if name in vocabulary():
        return
    known = [word for word, meaning in vocabulary().items() if callable(meaning)]
    hint = did_you_mean(name, known) or "; compute it as a column of the data first"
    raise FormulaError(f"the function {name!r} isn't known to formulas{hint}\n  {formula}\n  {' ' * at}^")

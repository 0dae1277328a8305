"""Only terms that can be made row by row may be streamed; whatever looks at other rows is refused by name."""

import ast
import re
from collections.abc import Iterable

from bayeslmm.errors import FormulaError
from bayeslmm.spec.tokens import tokenize

LOGARITHMS = {"log", "log2", "log10", "log1p", "exp", "exp2", "exp10", "expm1"}
STATELESS = LOGARITHMS | {"I", "sqrt", "abs", "sin", "cos", "tan", "round", "floor", "int", "float"}


def check_stateless(codes: Iterable[str]) -> None:
    """Every function called in these pieces of formula works row by row.

    Raises
    ------
    FormulaError
        Naming the first that doesn't.
    """
    for code in codes:
        for token in tokenize(code):
            if token.kind == "python":
                _check(token.text)


def _check(text: str) -> None:
    tree = ast.parse(re.sub(r"`[^`]*`", "quoted", text).strip("{}"), mode="eval")
    for node in ast.walk(tree):
        name = _state(node)
        if name is not None:
            raise FormulaError(
                f"{name!r} in {text!r} needs all rows at once, and these data are read in chunks; store what "
                "it makes as a column of its own (a factor as text), or give the data as a DataFrame"
            )


def _state(node: ast.AST) -> str | None:
    """What in an expression may look at other rows."""
    if isinstance(node, ast.Attribute):
        module = isinstance(node.value, ast.Name) and node.value.id == "np"
        return None if module and node.attr in STATELESS else node.attr
    if isinstance(node, ast.Subscript):
        return ast.unparse(node)
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id not in STATELESS:
        return node.func.id
    return None

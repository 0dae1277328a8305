"""Formula text as tokens: formulaic's, with R's spellings turned into Python's."""

import ast
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Literal

from bayeslmm.errors import FormulaError

type Kind = Literal["name", "value", "python", "operator", "context"]

_ATOMS = re.compile(r"~|\|\||\||[+-]+|\*\*|\w+|[^\s]")  # a word stood between %
_QUOTED = re.compile(r"""("[^"]*"|'[^']*'|`[^`]*`)""")
_DOTTED = re.compile(r"(?<![\w.)\]])([A-Za-z_]\w*)((?:\.\w+)+)(?![\w.]|\s*\()")
_FACTOR = re.compile(r"(?<![\w.])(?:as\.)?factor\s*\(")
_MODULES = ("np", "contr")


@dataclass(frozen=True, slots=True)
class Token:
    """One piece of a formula; `start` is its place in the text the user wrote."""

    text: str
    kind: Kind
    start: int


def complain(message: str, formula: str, at: int) -> FormulaError:
    """A FormulaError that shows the formula with a mark under position `at`."""
    line = re.sub(r"\s", " ", formula)
    return FormulaError(f"{message}\n  {line}\n  {' ' * at}^")


def tokenize(formula: str, text: str | None = None, start: int = 0) -> list[Token]:
    """Tokens of `text`, a part of `formula` that begins at `start` (the whole, if not given).

    Raises
    ------
    FormulaError
        When a quote or a parenthesis isn't closed, or closes nothing.
    """
    from formulaic.errors import FormulaicError
    from formulaic.parser.algos.tokenize import tokenize as formulaic_tokens

    source = formula if text is None else text
    try:
        raw = list(formulaic_tokens(source))
    except FormulaicError:
        raise _unclosed(formula, source, start) from None
    tokens = [token for piece in raw for token in _atoms(piece, source, start)]
    check_balance(tokens, formula)
    _check_operators(tokens, formula)
    return tokens


def _atoms(piece: Any, source: str, start: int) -> Iterator[Token]:
    """Our tokens of one of formulaic's, which runs adjacent operators together."""
    kind: Kind = piece.kind.value
    at = piece.source_start
    if kind == "operator":
        for atom in _ATOMS.findall(piece.token):
            at = source.index(atom[0], at)
            yield Token(f"%{atom}%" if atom.isalnum() else atom, kind, start + at)
            at += 1
    else:
        yield Token(_spelling(piece.token, kind), kind, start + at)


def _spelling(text: str, kind: Kind) -> str:
    if kind == "python":
        return pythonic(text)
    plain = kind != "name" or re.fullmatch(r"[\w.]+", text)
    return text if plain else f"`{text}`"


def pythonic(code: str) -> str:
    """R's spelling of an expression turned into Python's.

    `^` is a power, `factor(x)` is `C(x)`, and a dotted name is a column
    (`log(Informed.liking)`), not an attribute.
    """
    pieces = _QUOTED.split(code)
    pieces[::2] = [_column_dots(_FACTOR.sub("C(", piece.replace("^", "**"))) for piece in pieces[::2]]
    return "".join(pieces)


def _column_dots(code: str) -> str:
    return _DOTTED.sub(lambda m: m[0] if m[1] in _MODULES else f"`{m[0]}`", code)


def check_balance(tokens: Iterable[Token], formula: str) -> None:
    """Raise FormulaError where a parenthesis isn't closed, or closes nothing."""
    opened: list[Token] = []
    for token in tokens:
        if token.kind != "context":
            continue
        if token.text in "([":
            opened.append(token)
        elif not opened or opened.pop().text + token.text not in ("()", "[]"):
            raise complain("this parenthesis closes nothing", formula, token.start)
    if opened:
        raise complain("this parenthesis is never closed", formula, opened[-1].start)


def _check_operators(tokens: Sequence[Token], formula: str) -> None:
    """Raise FormulaError where two terms stand side by side."""
    for before, after in pairwise(tokens):
        ends = before.kind in ("name", "value", "python") or (
            before.kind == "context" and before.text in ")]"
        )
        begins = after.kind in ("name", "value", "python") or (after.kind == "context" and after.text in "([")
        if ends and begins:
            message = "an operator is missing here; or, after a function's name, a space too many"
            raise complain(message, formula, after.start)


def _unclosed(formula: str, source: str, start: int) -> FormulaError:
    """The error for a text formulaic can't cut into tokens: something opened in it stays open."""
    opened: list[int] = []
    for at, char in enumerate(source):
        if char in "([{":
            opened.append(at)
        elif char in ")]}" and opened:
            opened.pop()
    if opened:
        return complain("this parenthesis is never closed", formula, start + opened[-1])
    quotes = [at for at, char in enumerate(source) if char in "\"'`"]
    return complain("this quote isn't closed, or out of place", formula, start + (quotes or [0])[-1])


def depths(tokens: Sequence[Token]) -> list[int]:
    """How deep in parentheses each token is; a parenthesis itself counts as outside."""
    depth, out = 0, []
    for token in tokens:
        if token.kind == "context" and token.text in ")]":
            depth -= 1
        out.append(depth)
        if token.kind == "context" and token.text in "([":
            depth += 1
    return out


def join(tokens: Iterable[Token]) -> str:
    """The text of some tokens, as formulaic reads it."""
    return " ".join(token.text for token in tokens)


def variables_of(tokens: Iterable[Token], formula: str) -> tuple[str, ...]:
    """Names of the data's columns that some tokens ask for, each once, in order.

    Raises
    ------
    FormulaError
        When an expression isn't Python, or calls a function that isn't known.
    """
    found: dict[str, None] = {}
    for token in tokens:
        if token.kind == "name":
            found[token.text.strip("`")] = None
        elif token.kind == "python":
            found.update(dict.fromkeys(_expression_variables(token, formula)))
    return tuple(found)


def _expression_variables(token: Token, formula: str) -> Iterator[str]:
    from formulaic.utils.code import sanitize_variable_names

    from .vocabulary import check_function, vocabulary

    quoted: dict[str, str] = {}
    code = sanitize_variable_names(token.text, {}, quoted, template="quoted_{}")
    try:
        tree = ast.parse(code, mode="eval")
    except SyntaxError as error:
        raise complain(f"this expression can't be read ({error.msg})", formula, token.start) from None
    functions = {id(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}
    for node in ast.walk(tree):
        if not isinstance(node, ast.Name):
            continue
        if id(node) in functions:
            check_function(node.id, formula, token.start)
        elif node.id not in vocabulary() or node.id in quoted:
            yield quoted.get(node.id, node.id)

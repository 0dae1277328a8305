"""Formula text as tokens: names, numbers, operators, and expressions, which are read as a whole."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal, NamedTuple

from bayeslmm.errors import FormulaError

from .expression.lexer import Lexeme, Unreadable, lexemes, quoted, unquoted
from .expression.nodes import Call, Name, Node, calls_of, names_of
from .expression.parser import check_word, parse

type Kind = Literal["name", "value", "python", "operator", "context"]

_COMPARES = {"<", ">", "<=", ">=", "==", "!=", "&", "&&", "!", "%%", "%/%", "//"}
_CLOSING = {"(": ")", "[": "]", "{": "}"}


@dataclass(frozen=True, slots=True)
class Token:
    """One piece of a formula; `start` is its place in the text the user wrote."""

    text: str
    kind: Kind
    start: int

    @property
    def column(self) -> str:
        """The column that a name names."""
        return unquoted(self.text)


class Asked(NamedTuple):
    """What some tokens ask for.

    Attributes
    ----------
    variables : columns. maybe : constants, unless the data have such columns. calls : functions' names.
    """

    variables: tuple[str, ...]
    maybe: tuple[str, ...]
    calls: tuple[Call, ...]


def complain(message: str, formula: str, at: int) -> FormulaError:
    """A FormulaError that shows the formula with a mark under position `at`."""
    line = re.sub(r"\s", " ", formula)
    return FormulaError(f"{message}\n  {line}\n  {' ' * at}^")


def tokenize(formula: str, text: str | None = None, start: int = 0) -> list[Token]:
    """Tokens of `text`, a part of `formula` that begins at `start` (the whole, if not given).

    Raises
    ------
    FormulaError
        When a quote or a parenthesis isn't closed, or closes nothing; or two terms stand side by side.
    """
    try:
        pieces = lexemes(formula if text is None else text)
    except Unreadable as error:
        raise complain(error.message, formula, start + error.at) from None
    check_balance(pieces, formula, start)
    tokens = list(_tokens(pieces, formula, start))
    _check_operators(tokens, formula)
    return _with_comparisons(tokens, formula)


def _tokens(pieces: Sequence[Lexeme], formula: str, start: int) -> Iterator[Token]:
    """Tokens of pieces whose brackets are balanced."""
    place = 0
    while place < len(pieces):
        stop = _stop(pieces, place)
        yield _token(pieces[place:stop], formula, start)
        place = stop


def _stop(pieces: Sequence[Lexeme], place: int) -> int:
    """Where the token that begins here ends: after a call, braces, a run of signs, or one piece."""
    first = pieces[place]
    follows = pieces[place + 1] if place + 1 < len(pieces) else None
    if first.text == "{":
        return _closes(pieces, place)
    if first.kind == "word" and follows and follows.text == "(" and follows.start == first.end:
        return _closes(pieces, place + 1)
    stop = place + 1
    while first.text in "+-" and stop < len(pieces) and pieces[stop].text in ("+", "-"):
        stop += 1
    return stop


def _closes(pieces: Sequence[Lexeme], place: int) -> int:
    """The place after the bracket that closes the one here."""
    depth = 0
    for at in range(place, len(pieces)):
        if pieces[at].kind == "bracket":
            depth += 1 if pieces[at].text in _CLOSING else -1
        if not depth:
            return at + 1
    return len(pieces)


_KINDS: dict[str, Kind] = {
    "quoted": "name",
    "word": "name",
    "number": "value",
    "text": "value",
    "operator": "operator",
    "bracket": "context",
}


def _token(pieces: Sequence[Lexeme], formula: str, start: int) -> Token:
    first, at = pieces[0], start + pieces[0].start
    written = formula[at : start + pieces[-1].end]
    if first.text == "{":
        return Token(f"I({written[1:-1].strip()})", "python", at)
    if len(pieces) > 1 and first.kind == "word":
        return Token(written, "python", at)
    if first.kind == "word":
        _checked_word(first, formula, start)
    if first.kind == "operator":
        return Token(_operator(pieces), "operator", at)
    text = quoted(unquoted(first.text)) if first.kind == "quoted" else first.text
    return Token(text, _KINDS[first.kind], at)


def _operator(pieces: Sequence[Lexeme]) -> str:
    """Signs in a run together; `a %in% b` is R's other spelling of `a:b`."""
    text = "".join(piece.text for piece in pieces)
    return ":" if text == "%in%" else text


def _checked_word(word: Lexeme, formula: str, start: int) -> None:
    try:
        check_word(word)
    except Unreadable as error:
        raise complain(error.message, formula, start + error.at) from None


def check_balance(pieces: Iterable[Lexeme], formula: str, start: int) -> None:
    """Raise FormulaError where a parenthesis isn't closed, or closes nothing."""
    opened: list[Lexeme] = []
    for piece in pieces:
        if piece.kind != "bracket":
            continue
        if piece.text in _CLOSING:
            opened.append(piece)
        elif not opened or _CLOSING[opened.pop().text] != piece.text:
            raise complain("this parenthesis closes nothing", formula, start + piece.start)
    if opened:
        raise complain("this parenthesis is never closed", formula, start + opened[-1].start)


def _check_operators(tokens: Sequence[Token], formula: str) -> None:
    """Raise FormulaError where two terms stand side by side, or at a comma that no function has."""
    for stray in (token for token in tokens if token.text == ","):
        message = "a comma stands only inside a function's parentheses; random effects are written (x | g)"
        raise complain(message, formula, stray.start)
    for before, after in pairwise(tokens):
        ends = before.kind in ("name", "value", "python") or before.text in (")", "]")
        begins = after.kind in ("name", "value", "python") or after.text in ("(", "[")
        if ends and after.text == "[":
            raise complain("elements can't be picked in a formula; make a column first", formula, after.start)
        if ends and begins:
            message = (
                "an operator is missing here; a name with spaces stands in backticks, `blood pressure`; or, "
                "after a function's name, a space too many"
            )
            raise complain(message, formula, after.start)


def _with_comparisons(tokens: Sequence[Token], formula: str) -> list[Token]:
    """Tokens in which a comparison in parentheses, `(x > 3)`, is one expression."""
    if not any(compares(token) for token in tokens):
        return list(tokens)
    made: list[Token] = []
    opened: list[int] = []
    for token in tokens:
        made.append(token)
        if token.kind == "context" and token.text == "(":
            opened.append(len(made) - 1)
        elif token.kind == "context" and token.text == ")":
            first = opened.pop()
            if _is_comparison(made[first + 1 : -1]):
                made[first:] = [expression(formula[made[first].start + 1 : token.start], made[first].start)]
    return made


def _is_comparison(tokens: Sequence[Token]) -> bool:
    outside = [token for token, depth in zip(tokens, depths(tokens), strict=True) if not depth]
    return any(map(compares, outside)) and not any(token.text in ("|", "||", "~") for token in outside)


def compares(token: Token) -> bool:
    """Is this an operator of expressions and not of formulas?"""
    return token.kind == "operator" and token.text in _COMPARES


def expression(text: str, start: int) -> Token:
    """A token for text that is to be read as an expression."""
    return Token(f"I({text.strip()})", "python", start)


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
    """The canonical text of some tokens: a space between two, but not inside parentheses."""
    text, opened = "", True
    for token in tokens:
        close = opened or token.text in (")", "]")
        text += f"{'' if close else ' '}{_canonical(token)}"
        opened = token.text in ("(", "[")
    return text


def _canonical(token: Token) -> str:
    return parse(token.text).text if token.kind == "python" else token.text


def asked_of(tokens: Iterable[Token], formula: str) -> Asked:
    """What some tokens ask for, each once, in order.

    Raises
    ------
    FormulaError
        When an expression can't be read.
    """
    variables: dict[str, None] = {}
    maybe: dict[str, None] = {}
    calls: list[Call] = []
    for token in tokens:
        if token.kind == "name":
            variables[token.column] = None
        elif token.kind == "python":
            node = tree(token, formula)
            calls += calls_of(node)
            for name in names_of(node):
                (maybe if name.maybe_constant else variables)[name.name] = None
    return Asked(tuple(variables), tuple(maybe), tuple(calls))


def tree(token: Token, formula: str) -> Node:
    """The expression a token holds.

    Raises
    ------
    FormulaError
        When it can't be read.
    """
    try:
        return parse(token.text)
    except Unreadable as error:
        raise complain(error.message, formula, token.start) from None


def atom(token: Token, formula: str) -> Node:
    """A column or an expression, as a tree."""
    return Name(token.column, in_backticks=True) if token.kind == "name" else tree(token, formula)

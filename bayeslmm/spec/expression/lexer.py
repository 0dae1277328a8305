"""Formula text as its smallest pieces."""

import re
from typing import Literal, NamedTuple

type LexemeKind = Literal["quoted", "text", "number", "word", "operator", "bracket"]

_LEXEMES = re.compile(
    r"""
      (?P<quoted>   `(?:\\.|[^`\\])*` )
    | (?P<text>     "(?:\\.|[^"\\])*" | '(?:\\.|[^'\\])*' )
    | (?P<number>   (?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?(?![\w.]) )
    | (?P<word>     [\w.]+ )
    | (?P<operator> %\w*% | %/% | \*\* | // | <= | >= | == | != | && | \|\| | [-+*/^%<>=&|!~:,] )
    | (?P<bracket>  [()\[\]{}] )
    | (?P<space>    \s+ )
    """,
    re.VERBOSE | re.DOTALL,
)
_PLAIN = re.compile(r"(?!\d|\.\d|\.$|(?:not|and|or|in)$)(?!.*\.__)[\w.]+")


class Unreadable(Exception):
    """Text that isn't an expression: what is wrong, and where in it."""

    def __init__(self, message: str, at: int) -> None:
        """Keep both."""
        super().__init__(message)
        self.message, self.at = message, at


class Lexeme(NamedTuple):
    """A piece of text; `start` is its place in it."""

    kind: LexemeKind
    text: str
    start: int

    @property
    def end(self) -> int:
        return self.start + len(self.text)


def lexemes(text: str) -> list[Lexeme]:
    """The pieces of a text, spaces left out.

    Raises
    ------
    Unreadable
        At a quote that isn't closed, or a character that means nothing in a formula.
    """
    found, at = [], 0
    while at < len(text):
        match = _LEXEMES.match(text, at)
        if match is None:
            raise Unreadable(_meaningless(text, at), at)
        if match.lastgroup != "space":
            found.append(Lexeme(match.lastgroup, match[0], at))  # type: ignore[arg-type]
        at = match.end()
    return found


def _meaningless(text: str, at: int) -> str:
    if text[at] in "\"'`":
        return "this quote isn't closed, or out of place"
    return f"{text[at]!r} means nothing in a formula; a column with an odd name stands in backticks"


def quoted(name: str) -> str:
    """A column's name as a formula spells it: in backticks unless it is a plain word."""
    if _PLAIN.fullmatch(name):
        return name
    return "`" + re.sub(r"[\\`]", r"\\\g<0>", name) + "`"


def unquoted(text: str) -> str:
    r"""The name that stands in backticks (or plainly); within them \` is a backtick and \\ a backslash."""
    return re.sub(r"\\([\\`])", r"\1", text[1:-1]) if text.startswith("`") else text

"""Reader of expressions: R's operators and precedence, with Python's spellings of the same."""

import re
from functools import lru_cache
from typing import NamedTuple

from .lexer import Lexeme, Unreadable, lexemes, unquoted
from .nodes import COMPARISONS, Binary, Call, Literal, Name, Node, Sequence, Unary, walk

DEEPEST = 100

ALLOWED = (
    "an expression is made of columns, numbers, texts, + - * / ^ %% %/% %in%, comparisons, & | ! and "
    "the functions that formulas know or functions= gives"
)
_ALIASES = {"factor": "C", "as.factor": "C"}


class _Infix(NamedTuple):
    """An operator between two operands: its canonical spelling, and how strongly it binds."""

    operator: str
    binds: int


_COMPARES = 4
_INFIX = {
    **dict.fromkeys(("|", "||", "or"), _Infix("|", 1)),
    **dict.fromkeys(("&", "&&", "and"), _Infix("&", 2)),
    **{sign: _Infix(sign, _COMPARES) for sign in COMPARISONS},
    "in": _Infix("%in%", _COMPARES),
    "+": _Infix("+", 5),
    "-": _Infix("-", 5),
    "*": _Infix("*", 6),
    "/": _Infix("/", 6),
    "//": _Infix("%/%", 6),
    "%": _Infix("%%", 6),
    "%%": _Infix("%%", 7),
    "%/%": _Infix("%/%", 7),
    "%in%": _Infix("%in%", 7),
    "**": _Infix("**", 9),
    "^": _Infix("**", 9),
}
_BINDS = {rule.operator: rule.binds for rule in _INFIX.values()}
_PREFIX = {"-": ("-", 8), "+": ("+", 8), "~": ("!", 8), "!": ("!", 3), "not": ("!", 3)}


@lru_cache(maxsize=4096)
def parse(text: str) -> Node:
    """The tree of an expression.

    Raises
    ------
    Unreadable
        Where it isn't one.
    """
    reader = _Reader(lexemes(text), len(text))
    node = reader.expression(0)
    if reader.now is not None:
        raise reader.refusal()
    if max(depth for _, depth in walk(node)) > DEEPEST:
        raise Unreadable("this expression is nested too deeply; compute a part of it as a column first", 0)
    return node


class _Reader:
    """Where reading has come to in a list of lexemes."""

    def __init__(self, pieces: list[Lexeme], length: int) -> None:
        self.pieces, self.length = pieces, length
        self.place, self.depth = 0, 0

    @property
    def now(self) -> Lexeme | None:
        return self.pieces[self.place] if self.place < len(self.pieces) else None

    def sees(self, *texts: str) -> bool:
        now = self.now
        return now is not None and now.kind in ("operator", "bracket", "word") and now.text in texts

    def take(self) -> Lexeme:
        if self.now is None:
            raise self.refusal()
        self.place += 1
        return self.pieces[self.place - 1]

    def expect(self, text: str) -> None:
        if not self.sees(text):
            raise self.refusal()
        self.place += 1

    def refusal(self) -> Unreadable:
        now = self.now
        if now is None:
            return Unreadable(f"this expression can't be read: it breaks off; {ALLOWED}", self.length)
        return Unreadable(f"this expression can't be read at {now.text!r}; {ALLOWED}", now.start)

    def expression(self, least: int) -> Node:
        """An operand and all that follows and binds at least so."""
        self.depth += 1
        if self.depth > DEEPEST:
            raise Unreadable(
                "this expression is nested too deeply; compute a part of it as a column first", 0
            )
        left = self.operand()
        while (rule := self.infix()) is not None and rule.binds >= least:
            self._refuse_chain(rule, left)
            self.place += 1
            right = self.expression(rule.binds + (rule.operator != "**"))
            left = Binary(rule.operator, left, right, _BINDS[rule.operator])
        self.depth -= 1
        return left

    def infix(self) -> _Infix | None:
        now = self.now
        return _INFIX.get(now.text) if now is not None and now.kind in ("operator", "word") else None

    def _refuse_chain(self, rule: _Infix, left: Node) -> None:
        closed = self.pieces[self.place - 1].text == ")"
        if rule.binds == _COMPARES and left.binds == _COMPARES and not closed:
            raise Unreadable("comparisons aren't chained: write 0 < x & x < 1", self.pieces[self.place].start)

    def operand(self) -> Node:
        if self.sees("("):
            return self.in_parentheses()
        if self.sees("["):
            self.place += 1
            return Sequence(tuple(node for _, node in self.arguments("]")))
        first = self.take()
        if first.kind == "word":
            return self.word(first)
        if first.kind == "operator" and first.text in _PREFIX:
            return self.prefixed(first.text)
        if first.kind in ("operator", "bracket"):
            self.place -= 1
            raise self.refusal()
        return _atom(first)

    def in_parentheses(self) -> Node:
        self.expect("(")
        node = self.expression(0)
        self.expect(")")
        return node

    def prefixed(self, text: str) -> Node:
        operator, binds = _PREFIX[text]
        return Unary(operator, self.expression(binds), 3 if operator == "!" else binds)

    def word(self, word: Lexeme) -> Node:
        """A column, a call, or `not`."""
        if word.text == "not" and (self.sees("(") or self._an_operand_follows()):
            return self.prefixed("not")
        check_word(word)
        if not self.sees("("):
            return Name(word.text)
        self.place += 1
        given = self.arguments(")")
        if word.text == "c":
            return Sequence(tuple(node for _, node in given))
        return Call(
            _ALIASES.get(word.text, word.text),
            tuple(node for name, node in given if not name),
            tuple((name, node) for name, node in given if name),
        )

    def _an_operand_follows(self) -> bool:
        now = self.now
        return now is not None and now.kind in ("word", "quoted", "text", "number") and self.infix() is None

    def arguments(self, closing: str) -> list[tuple[str, Node]]:
        """What stands between brackets, each with its name or ""."""
        given: list[tuple[str, Node]] = []
        while not self.sees(closing):
            given.append((self.argument_name(), self.expression(0)))
            if not self.sees(closing):
                self.expect(",")
        self.place += 1
        return given

    def argument_name(self) -> str:
        ahead = self.pieces[self.place : self.place + 2]
        if len(ahead) < 2 or ahead[0].kind != "word" or ahead[1].text != "=":
            return ""
        check_word(ahead[0])
        self.place += 2
        return ahead[0].text


def check_word(word: Lexeme) -> None:
    """Refuse the spelling of one of Python's own attributes."""
    if ".__" in word.text:
        raise Unreadable(f"{word.text!r}: attributes can't be asked for; {ALLOWED}", word.start)


def _atom(piece: Lexeme) -> Node:
    if piece.kind == "quoted":
        return Name(unquoted(piece.text), in_backticks=True)
    if piece.kind == "number":
        return Literal(float(piece.text), piece.text)
    content = re.sub(r"\\(.)", r"\1", piece.text[1:-1], flags=re.DOTALL)
    return Literal(content, repr(content))

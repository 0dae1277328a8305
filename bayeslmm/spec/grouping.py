"""Reader of a bar's right side: which grouping factors it stands for."""

from collections.abc import Sequence

from bayeslmm.errors import FormulaError

from .expression.nodes import Call, Name
from .tokens import Token, complain, tree


class GroupingReader:
    """Reader of a bar's right side: columns joined by `:` (interaction) and `/` (nesting)."""

    def __init__(self, tokens: Sequence[Token], formula: str) -> None:
        self.tokens = tokens
        self.formula = formula
        self.place = 0

    def read(self) -> list[tuple[str, ...]]:
        """The grouping factors it stands for, each as its columns."""
        factors = self._nest()
        if self.place < len(self.tokens):
            raise self._unreadable()
        return factors

    def _nest(self) -> list[tuple[str, ...]]:
        """`a/b` is a and a:b; what is right of `/` lies within all that is left of it."""
        factors = self._product()
        while self._take("/"):
            outer = tuple(dict.fromkeys(column for factor in factors for column in factor))
            factors = factors + [_cross(outer, inner) for inner in self._product()]
        return factors

    def _product(self) -> list[tuple[str, ...]]:
        factors = self._atom()
        while self._take(":"):
            inner = self._atom()
            factors = [_cross(a, b) for a in factors for b in inner]
        return factors

    def _atom(self) -> list[tuple[str, ...]]:
        if self._take("("):
            factors = self._nest()
            if not self._take(")"):
                raise self._unreadable()
            return factors
        token = self.tokens[self.place] if self.place < len(self.tokens) else None
        name = _grouping_column(token, self.formula) if token else None
        if name is None:
            raise self._unreadable()
        self.place += 1
        return [(name,)]

    def _take(self, text: str) -> bool:
        found = self.place < len(self.tokens) and self.tokens[self.place].text == text
        self.place += found
        return found

    def _unreadable(self) -> FormulaError:
        at = self.tokens[min(self.place, len(self.tokens) - 1)].start
        return complain(
            "a grouping factor is a column, or columns joined by ':' or '/'; "
            "make anything else a column first",
            self.formula,
            at,
        )


def _cross(a: tuple[str, ...], b: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(a + b))


def _grouping_column(token: Token, formula: str) -> str | None:
    """The column a token names; `factor(g)` names g, since a grouping column is a factor anyway."""
    if token.kind == "name":
        return token.column
    node = tree(token, formula) if token.kind == "python" else None
    if isinstance(node, Call) and node.function == "C" and not node.named and len(node.arguments) == 1:
        only = node.arguments[0]
        return only.name if isinstance(only, Name) else None
    return None

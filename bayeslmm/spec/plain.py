"""Parts of a formula as columns, and the plainest of them: a sum of columns of numbers as they stand."""

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from types import MappingProxyType
from typing import Any, ClassVar, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from .expression.lexer import quoted
from .expression.nodes import Name

_PIECE = r"(?:[01]|[^\W\d][\w.]*)"
_SUM = re.compile(rf"`[^`\\]*`|{_PIECE}(?: \+ {_PIECE})*")


class Term(NamedTuple):
    """A term of a part.

    Attributes
    ----------
    text : as formulas spell it; the intercept is `1`
    factors : what it is the product of, by the names their columns have; nothing for the intercept
    columns : names of the columns it makes
    """

    text: str
    factors: tuple[str, ...]
    columns: tuple[str, ...]


class Learnt(Protocol):
    """What is known of a part once its columns have been made: enough to make them of other rows.

    Attributes
    ----------
    terms : in the order of their columns. functions : of the user's, that are called. factors : among names.
    levelled : columns of numbers whose values are levels.
    """

    @property
    def terms(self) -> tuple[Term, ...]: ...
    @property
    def functions(self) -> Mapping[str, Callable[..., Any]]: ...
    @property
    def factors(self) -> frozenset[str]: ...
    @property
    def levelled(self) -> frozenset[str]: ...


class Part(NamedTuple):
    """One part of the formula: its columns (n, k), their names, and what was learnt about making them."""

    matrix: NDArray[np.float64]
    names: tuple[str, ...]
    trained: Learnt


@dataclass(frozen=True)
class Plain:
    """A sum of columns of numbers as they stand: nothing to evaluate, nothing to learn.

    Attributes
    ----------
    columns : their names; None is the intercept
    """

    columns: tuple[str | None, ...]

    functions: ClassVar[Mapping[str, Callable[..., Any]]] = MappingProxyType({})
    factors: ClassVar[frozenset[str]] = frozenset()
    levelled: ClassVar[frozenset[str]] = frozenset()

    @cached_property
    def terms(self) -> tuple[Term, ...]:
        """One a column."""
        return tuple(map(_term, self.columns))

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Names of the columns."""
        return tuple(name for term in self.terms for name in term.columns)

    def fits(self, variables: Mapping[str, Any]) -> bool:
        """Are all columns of numbers?"""
        return all(name is None or isinstance(variables.get(name), np.ndarray) for name in self.columns)

    def part(self, variables: Mapping[str, Any], n: int) -> Part:
        """The part of n rows."""
        matrix = np.empty((n, len(self.columns)))
        for place, name in enumerate(self.columns):
            matrix[:, place] = 1.0 if name is None else variables[name]
        return Part(matrix, self.names, self)


def _term(name: str | None) -> Term:
    if name is None:
        return Term("1", (), ("Intercept",))
    own = column_name(name)
    return Term(Name(name, in_backticks=True).text, (own,), (own,))


@lru_cache(maxsize=1024)
def plain_sum(text: str) -> Plain | None:
    """What a text is if all its columns are of numbers; None for what isn't a sum of columns."""
    if not _SUM.fullmatch(text):
        return None
    if text.startswith("`"):
        return Plain((text.strip("`"),))
    pieces = text.split(" + ")
    intercept = [piece for piece in pieces if piece in ("0", "1")][-1:] == ["1"]
    columns = dict.fromkeys(piece for piece in pieces if piece not in ("0", "1"))
    return Plain((None, *columns) if intercept else tuple(columns))


def column_name(name: str, expressions: Collection[str] = ()) -> str:
    """What a column is called: bare, or in backticks where that reads as something else, or an expression."""
    ambiguous = name in expressions or ":" in name or name == "Intercept" or re.fullmatch(r"[\d.eE+-]*", name)
    return f"`{quoted(name).strip('`')}`" if ambiguous else name

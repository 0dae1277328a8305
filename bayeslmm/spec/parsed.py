"""A formula taken apart, as records: what the reader of formulas makes, whatever data it will meet."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from functools import cached_property


@dataclass(frozen=True, slots=True)
class Bar:
    """One random-effects term, `keyword(left | group)`.

    Attributes
    ----------
    left : its left-hand side
    columns : the grouping columns; more than one for an interaction
    keyword : its covariance structure; `||` is "diag"
    variables : columns the left-hand side asks for
    maybe : its constants, which are columns if the data have such
    """

    left: str
    columns: tuple[str, ...]
    keyword: str
    variables: tuple[str, ...]
    maybe: tuple[str, ...] = ()

    @property
    def code(self) -> str:
        """Its left-hand side with an explicit intercept, as formulaic reads it."""
        return f"1 + {self.left}"

    @property
    def group(self) -> str:
        """Name of the grouping factor."""
        return ":".join(self.columns)

    @property
    def text(self) -> str:
        """The term in canonical spelling."""
        return f"{self.keyword.removeprefix('us')}({self.left} | {self.group})"


@dataclass(frozen=True, slots=True)
class Expression:
    """A piece of a formula, the columns it asks for, and its constants, columns if the data have such."""

    code: str
    variables: tuple[str, ...]
    maybe: tuple[str, ...] = ()


@dataclass(frozen=True)
class Formula:
    """A formula taken apart.

    Attributes
    ----------
    text : as the user wrote it
    response : its left side as written
    outcome : the same as one expression
    fixed : the fixed part with an explicit intercept, as formulaic reads it
    bars : random-effects terms in order, `a/b` expanded
    offsets : what stood in `offset(...)`
    """

    text: str
    response: str
    outcome: Expression
    fixed: Expression
    bars: tuple[Bar, ...]
    offsets: tuple[Expression, ...]

    @cached_property
    def parts(self) -> Mapping[str, Expression | Bar]:
        """What columns are made of, by name: "outcome", "fixed", "offset_0", ..., "bar_0", ..."""
        offsets = {f"offset_{place}": offset for place, offset in enumerate(self.offsets)}
        bars = {f"bar_{place}": bar for place, bar in enumerate(self.bars)}
        return {"outcome": self.outcome, "fixed": self.fixed, **offsets, **bars}

    @cached_property
    def codes(self) -> Mapping[str, str]:
        """The parts as they are written, by name."""
        return {name: part.code for name, part in self.parts.items()}

    @cached_property
    def variables(self) -> tuple[str, ...]:
        """Columns the parts ask for, each once."""
        return tuple(dict.fromkeys(name for part in self.parts.values() for name in part.variables))

    @cached_property
    def groups(self) -> tuple[str, ...]:
        """Grouping factors in order of appearance."""
        return tuple(dict.fromkeys(bar.group for bar in self.bars))

    def among(self, columns: Collection[str]) -> "Formula":
        """The formula as data with these columns read it: a column goes before a constant."""
        if not any(name in columns for part in self.parts.values() for name in part.maybe):
            return self
        return replace(
            self,
            outcome=_settled(self.outcome, columns),
            fixed=_settled(self.fixed, columns),
            bars=tuple(_settled(bar, columns) for bar in self.bars),
            offsets=tuple(_settled(offset, columns) for offset in self.offsets),
        )


def _settled[P: (Expression, Bar)](piece: P, columns: Collection[str]) -> P:
    found = tuple(name for name in piece.maybe if name in columns and name not in piece.variables)
    return replace(piece, variables=piece.variables + found)

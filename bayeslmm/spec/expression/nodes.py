"""An expression as a tree, whose nodes spell themselves and compute themselves from a scope."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Protocol

from bayeslmm.errors import BayesLMMError, FormulaError

from . import values
from .functions import CONSTANTS, Function
from .lexer import quoted

ATOM = 10
COMPARISONS = ("==", "!=", "<", "<=", ">", ">=")
_LITERAL_ARGUMENTS = "C"  # its other arguments name contrasts and levels, never columns


@dataclass(frozen=True, slots=True)
class Scope:
    """What an expression is computed from.

    Attributes
    ----------
    columns : of the data, as numbers (n,) or coded factors
    n : number of rows
    functions : by name
    states : what functions learnt from the rows a model was fitted to, by the call's text
    """

    columns: Mapping[str, Any]
    n: int
    functions: Mapping[str, Function]
    states: dict[str, dict[str, Any]] = field(default_factory=dict)


class Node(Protocol):
    """A piece of an expression."""

    @property
    def text(self) -> str:
        """Its canonical spelling, which reads as the same expression."""

    @property
    def parts(self) -> "tuple[Node, ...]":
        """The nodes right below."""

    @property
    def binds(self) -> int:
        """How strongly its parts hold together; a weaker part of a stronger whole is put in parentheses."""

    def value(self, scope: Scope) -> Any:
        """What it comes to in a scope."""


def within(part: Node, binds: int) -> str:
    """The spelling of a part of something that binds so."""
    return part.text if part.binds >= binds else f"({part.text})"


def walk(node: Node) -> Iterator[tuple[Node, int]]:
    """A node and all below, outermost first, each with its depth."""
    waiting: list[tuple[Node, int]] = [(node, 1)]
    while waiting:
        one, depth = waiting.pop()
        yield one, depth
        waiting.extend((part, depth + 1) for part in reversed(one.parts))


@dataclass(frozen=True, slots=True)
class Literal:
    """A number or a text."""

    content: float | str
    text: str
    parts: ClassVar[tuple[Node, ...]] = ()
    binds: ClassVar[int] = ATOM

    def value(self, scope: Scope) -> Any:
        return self.content


@dataclass(frozen=True, slots=True)
class Name:
    """A column; or, where the data have no such column and it isn't in backticks, a constant."""

    name: str
    in_backticks: bool = False
    parts: ClassVar[tuple[Node, ...]] = ()
    binds: ClassVar[int] = ATOM

    @property
    def text(self) -> str:
        return quoted(self.name) if self.maybe_constant or self.name not in CONSTANTS else f"`{self.name}`"

    @property
    def maybe_constant(self) -> bool:
        return self.name in CONSTANTS and not self.in_backticks

    def value(self, scope: Scope) -> Any:
        return CONSTANTS[self.name] if self.name not in scope.columns else scope.columns[self.name]


@dataclass(frozen=True, slots=True)
class Sequence:
    """Several values in order, `c(1, 2)` or `[1, 2]`."""

    parts: tuple[Node, ...]
    binds: ClassVar[int] = ATOM

    @property
    def text(self) -> str:
        return f"[{', '.join(part.text for part in self.parts)}]"

    def value(self, scope: Scope) -> Any:
        return tuple(part.value(scope) for part in self.parts)


@dataclass(frozen=True, slots=True)
class Unary:
    """A sign, or a negation."""

    operator: str
    operand: Node
    binds: int

    @property
    def text(self) -> str:
        return f"{self.operator}{within(self.operand, self.binds)}"

    @property
    def parts(self) -> tuple[Node, ...]:
        return (self.operand,)

    def value(self, scope: Scope) -> Any:
        return values.UNARY[self.operator](self.operand.value(scope))


@dataclass(frozen=True, slots=True)
class Binary:
    """Two operands and what stands between them."""

    operator: str
    left: Node
    right: Node
    binds: int

    @property
    def text(self) -> str:
        power = self.operator == "**"
        left = within(self.left, self.binds + (power or self.operator in COMPARISONS))
        right = within(self.right, self.binds + (not power) - power)  # a sign stands right of a power
        return f"{left} {self.operator} {right}"

    @property
    def parts(self) -> tuple[Node, ...]:
        return (self.left, self.right)

    def value(self, scope: Scope) -> Any:
        return values.BINARY[self.operator](self.left.value(scope), self.right.value(scope))


@dataclass(frozen=True, slots=True)
class Call:
    """A function of some arguments."""

    function: str
    arguments: tuple[Node, ...]
    named: tuple[tuple[str, Node], ...]
    binds: ClassVar[int] = ATOM

    @property
    def text(self) -> str:
        written = [part.text for part in self.arguments]
        written += [f"{name}={part.text}" for name, part in self.named]
        return f"{self.function}({', '.join(written)})"

    @property
    def parts(self) -> tuple[Node, ...]:
        return (*self.arguments, *(part for _, part in self.named))

    @property
    def columns_among(self) -> tuple[Node, ...]:
        """The arguments in which a name is a column."""
        return self.arguments[:1] if self.function == _LITERAL_ARGUMENTS else self.parts

    def value(self, scope: Scope) -> Any:
        function = scope.functions[self.function]
        given = [self._argument(part, scope) for part in self.arguments]
        named = {name.replace(".", "_"): self._argument(part, scope) for name, part in self.named}
        if function.learns:
            named["_state"] = scope.states.setdefault(self.text, {})
        try:
            return function(*given, **named)
        except BayesLMMError:
            raise
        except Exception as error:  # a function of the user's may raise anything
            raise FormulaError(f"{self.text} can't be computed: {error}") from error

    def _argument(self, part: Node, scope: Scope) -> Any:
        names_a_contrast = isinstance(part, Name) and part not in self.columns_among
        if names_a_contrast and part.name not in CONSTANTS:  # type: ignore[attr-defined]
            return part.name  # type: ignore[attr-defined]
        return part.value(scope)


def names_of(node: Node) -> Iterator[Name]:
    """Names that may be columns."""
    waiting = [node]
    while waiting:
        one = waiting.pop()
        if isinstance(one, Name):
            yield one
        waiting.extend(reversed(one.columns_among if isinstance(one, Call) else one.parts))


def calls_of(node: Node) -> Iterator[Call]:
    """Calls in an expression, outermost first."""
    return (one for one, _ in walk(node) if isinstance(one, Call))

"""What a structure is told of the rows in words: "Time | Mare", "x + y | field", "1 | g"."""

import re
from dataclasses import dataclass
from typing import Self

from bayeslmm.errors import FormulaError

_PIECES = re.compile(r"`[^`]*`|[^`]")  # a quoted name is one


@dataclass(frozen=True, slots=True)
class Form:
    """A form taken apart.

    Attributes
    ----------
    coordinates : columns on the left of the bar; none for "1", the order of the rows.
    groups : columns on its right, whose combinations are the residual groups; none where all rows are one.
    """

    coordinates: tuple[str, ...]
    groups: tuple[str, ...]

    @classmethod
    def read(cls, text: str) -> Self:
        """Read a form.

        Raises
        ------
        FormulaError
            When there is more than one bar, or a name is empty.
        """
        left, *right = _split(text.strip().removeprefix("~"), "|")
        if len(right) > 1:
            raise FormulaError(f"{text!r} has {len(right)} bars; write it as 'time | group'")
        own = _names(left, "+", text)
        return cls(() if own == ("1",) else own, _names(right[0], ":/", text) if right else ())

    @property
    def columns(self) -> tuple[str, ...]:
        """Every column it names."""
        return (*self.coordinates, *self.groups)


def _split(text: str, signs: str) -> list[str]:
    """At signs that aren't quoted."""
    parts = [""]
    for piece in _PIECES.findall(text):
        if piece in signs:
            parts.append("")
        else:
            parts[-1] += piece
    return parts


def _names(part: str, signs: str, text: str) -> tuple[str, ...]:
    names = tuple(name.strip().strip("`") for name in _split(part, signs))
    if not all(names):
        raise FormulaError(
            f"can't read {text!r}; write columns as in 'time | group', 'x + y | field' or '1 | group'"
        )
    return names

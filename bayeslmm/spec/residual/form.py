"""What a structure is told of the rows in words: "Time | Mare", "x + y | field", "1 | g"."""

import re
from dataclasses import dataclass
from typing import Self

from bayeslmm.errors import FormulaError

_NAMES = re.compile(r"\s*(?:`([^`]+)`|([^`+:/|~]+))\s*")


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
        left, *right = text.strip().removeprefix("~").split("|")
        if len(right) > 1:
            raise FormulaError(f"{text!r} has {len(right)} bars; write it as 'time | group'")
        own = _names(left, "+", text)
        return cls(() if own == ("1",) else own, _names(right[0], ":/", text) if right else ())

    @property
    def columns(self) -> tuple[str, ...]:
        """Every column it names."""
        return (*self.coordinates, *self.groups)


def _names(part: str, signs: str, text: str) -> tuple[str, ...]:
    found = [
        _NAMES.fullmatch(name)
        for name in re.split(f"[{re.escape(signs)}](?![^`]*`(?:[^`]*`[^`]*`)*[^`]*$)", part)
    ]
    if not all(found):
        raise FormulaError(
            f"can't read {text!r}; write columns as in 'time | group', 'x + y | field' or '1 | group'"
        )
    return tuple((match[1] or match[2]).strip() for match in found if match)

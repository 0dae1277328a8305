"""What a section of the report is."""

from abc import ABC, abstractmethod
from collections.abc import Collection, Iterator
from typing import ClassVar

from bayeslmm.errors import check_choice
from bayeslmm.parity.comparison import Comparison
from bayeslmm.registry import Registered
from bayeslmm.render.page.blocks import Block, Section


class ReportSection(Registered, ABC):
    """One section.

    Attributes
    ----------
    name : its address on the page. place : in the order, lowest first. title, short : in the text, in the
        contents. on_request : whether only who asks for it has it on the page.
    """

    name: ClassVar[str]
    place: ClassVar[int]
    title: ClassVar[str]
    short: ClassVar[str]
    on_request: ClassVar[bool] = False

    @abstractmethod
    def blocks(self, parity: Comparison) -> Iterator[Block]:
        """What it shows of a comparison; where that is nothing, the page doesn't have it."""

    @classmethod
    def _word(cls) -> str | None:
        return vars(cls).get("name")


def check_sections(names: Collection[str]) -> tuple[str, ...]:
    """Names of sections on request; one alone needs no list around it.

    Raises
    ------
    OptionError
        For one that isn't.
    """
    offered = [kind.name for kind in ReportSection.kinds().values() if kind.on_request]
    asked = (names,) if isinstance(names, str) else tuple(names)
    return tuple(check_choice("section", name, offered) for name in asked)


def sections_of(parity: Comparison, also: Collection[str] = ()) -> tuple[Section, ...]:
    """The sections that a comparison has, and those asked for by name, in order.

    Raises
    ------
    OptionError
        For a name that isn't that of a section on request.
    """
    asked = check_sections(also)
    shown = [kind for kind in ReportSection.kinds().values() if not kind.on_request or kind.name in asked]
    kinds = sorted(shown, key=lambda kind: kind.place)
    found = ((kind, tuple(kind().blocks(parity))) for kind in kinds)
    return tuple(Section(kind.name, kind.title, kind.short, blocks) for kind, blocks in found if blocks)

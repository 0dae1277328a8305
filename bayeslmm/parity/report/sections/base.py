"""What a section of the report is."""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import ClassVar

from bayeslmm.parity.comparison import Comparison
from bayeslmm.registry import Registered
from bayeslmm.render.page.blocks import Block, Section


class ReportSection(Registered, ABC):
    """One section.

    Attributes
    ----------
    name : its address on the page. place : in the order, lowest first. title, short : in the text, in the
        contents.
    """

    name: ClassVar[str]
    place: ClassVar[int]
    title: ClassVar[str]
    short: ClassVar[str]

    @abstractmethod
    def blocks(self, parity: Comparison) -> Iterator[Block]:
        """What it shows of a comparison; where that is nothing, the page doesn't have it."""

    @classmethod
    def _word(cls) -> str | None:
        return vars(cls).get("name")


def sections_of(parity: Comparison) -> tuple[Section, ...]:
    """The sections that a comparison has, in order."""
    kinds = sorted(ReportSection.kinds().values(), key=lambda kind: kind.place)
    found = ((kind, tuple(kind().blocks(parity))) for kind in kinds)
    return tuple(Section(kind.name, kind.title, kind.short, blocks) for kind, blocks in found if blocks)

"""What a page is made of. Text is plain: whoever writes it in some language escapes it."""

from dataclasses import dataclass
from math import isfinite, nan
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from plotly.graph_objects import Figure


@dataclass(frozen=True, slots=True)
class Badge:
    """A word with the colour of what it means: "good", "explained", "open" or "bad"."""

    name: str
    tone: str


@dataclass(frozen=True, slots=True)
class Text:
    """One paragraph; `tone` is "soft" for what explains, "lead" for what is read first."""

    kind: ClassVar[str] = "text"
    text: str
    tone: str = ""


@dataclass(frozen=True, slots=True)
class Facts:
    """Names with what is said of each."""

    kind: ClassVar[str] = "facts"
    pairs: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Sentences:
    """Labels, each with a badge and a sentence."""

    kind: ClassVar[str] = "sentences"
    rows: tuple[tuple[str, Badge, str], ...]


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell of a table.

    Attributes
    ----------
    lines : of text, one below the other. notes : to each line, or none at all.
    value : what the column is sorted by, NaN for its text. badge : drawn in place of the text.
    """

    lines: tuple[str, ...]
    notes: tuple[str, ...] = ()
    value: float = nan
    badge: Badge | None = None

    @property
    def text(self) -> str:
        """The badge's word, or the lines in one."""
        if self.badge:
            return self.badge.name
        notes = self.notes or ("",) * len(self.lines)
        return "; ".join(
            f"{line} ({note})" if note else line for line, note in zip(self.lines, notes, strict=True)
        )

    @property
    def sorted_by(self) -> float | None:
        """The number that it is sorted by, if any."""
        return self.value if isfinite(self.value) else None


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of cells under a head; the first cell of a row is its label.

    Attributes
    ----------
    name : for those who don't see it, and of the file it is saved as. columns : the head. rows : of cells.
    tools : whether it can be sorted, filtered, copied and saved. choices : words to filter by; all for none.
    """

    kind: ClassVar[str] = "table"
    name: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    tools: bool = False
    choices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Mark:
    """One entry of a key: a name, a colour, a dash ("solid", "dot", "none") and a shape."""

    name: str
    colour: str
    dash: str
    shape: str


@dataclass(frozen=True, slots=True, eq=False)
class Plot:
    """A figure with what it shows in words, for those who don't see it, and a caption."""

    description: str
    figure: "Figure"
    caption: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Plots:
    """Figures that share a key; `layout` is "half" for two a row, "grid" for as many as fit."""

    kind: ClassVar[str] = "plots"
    plots: tuple[Plot, ...]
    key: tuple[Mark, ...] = ()
    layout: str = "half"


@dataclass(frozen=True, slots=True)
class Code:
    """Lines to be copied; `name` where scripts look for them."""

    kind: ClassVar[str] = "code"
    text: str
    language: str = ""
    name: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Folded:
    """Blocks that are shown when asked for."""

    kind: ClassVar[str] = "folded"
    summary: str
    blocks: "tuple[Block, ...]"


type Block = Text | Facts | Sentences | Table | Plots | Code | Folded


@dataclass(frozen=True, slots=True, eq=False)
class Section:
    """A part of a page with a title; `id` is its address, `short` its name in the contents."""

    id: str
    title: str
    short: str
    blocks: tuple[Block, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Page:
    """A page: what it is, its title, and its sections. `written` says by whom."""

    what: str
    title: str
    sections: tuple[Section, ...]
    written: str


def plain(*texts: str) -> tuple[Cell, ...]:
    """Cells of one line each."""
    return tuple(Cell((text,)) for text in texts)

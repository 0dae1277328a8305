"""A table that says, wherever it is shown, how its numbers were made."""

from typing import Any, Self

import pandas as pd

from bayeslmm.markup import paragraph
from bayeslmm.printed import Page, html, latex, markdown, screen_html, screen_text


class HeadedTable(pd.DataFrame):
    """A DataFrame under a heading; what is computed from it is an ordinary DataFrame.

    ``to_latex()``, ``to_markdown()`` and ``to_html()`` without options give the table as it is read, p as
    "< 0.001"; with options they are pandas' own.

    Attributes
    ----------
    attrs : `heading`, the line above the table; `notes`, lines below it; and what made the numbers, as `ddf`.
    """

    @classmethod
    def of(cls, frame: pd.DataFrame, heading: str, notes: tuple[str, ...] = (), **attrs: Any) -> Self:
        """The frame under a heading."""
        table = cls(frame)
        table.attrs.update({"heading": heading, "notes": notes} | attrs)
        return table

    @property
    def page(self) -> Page:
        """What is printed."""
        return Page(self.to_frame(), self.attrs.get("heading", ""), tuple(self.attrs.get("notes", ())))

    def to_frame(self) -> pd.DataFrame:
        """The numbers as an ordinary DataFrame."""
        return pd.DataFrame(self)

    def to_latex(self, *options: Any, **named: Any) -> Any:
        """A LaTeX table with booktabs' rules."""
        return super().to_latex(*options, **named) if options or named else latex(self.page)

    def to_markdown(self, *options: Any, **named: Any) -> Any:
        """A Markdown table."""
        return super().to_markdown(*options, **named) if options or named else markdown(self.page)

    def to_html(self, *options: Any, **named: Any) -> Any:
        """An HTML table."""
        return super().to_html(*options, **named) if options or named else html(self.page)

    def __copy__(self, deep: bool = False) -> Self:
        copied = type(self)(self.copy(deep=deep))
        copied.attrs.update(self.attrs)
        return copied

    def __deepcopy__(self, memo: Any = None) -> Self:
        return self.__copy__(deep=True)

    def __repr__(self) -> str:
        body = screen_text(self.to_frame())
        return "\n".join([self.attrs.get("heading", ""), body, *self.attrs.get("notes", ())])

    __str__ = __repr__

    def _repr_html_(self) -> str:
        notes = "".join(map(paragraph, self.attrs.get("notes", ())))
        return paragraph(self.attrs.get("heading", "")) + screen_html(self.to_frame()) + notes

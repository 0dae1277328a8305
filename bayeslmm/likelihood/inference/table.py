"""A table that says, wherever it is shown, how its numbers were made."""

from typing import Any

import pandas as pd

from bayeslmm.markup import html_table, paragraph


class InferenceTable(pd.DataFrame):
    """A DataFrame under a heading; what is computed from it is an ordinary DataFrame.

    Attributes
    ----------
    attrs : `heading`, the line above the table; `notes`, lines below it; and what made the numbers, as `ddf`.
    """

    def __repr__(self) -> str:
        body = pd.DataFrame(self).to_string(float_format="{:.5g}".format, na_rep="")
        return "\n".join([self.attrs.get("heading", ""), body, *self.attrs.get("notes", ())])

    __str__ = __repr__

    def _repr_html_(self) -> str:
        notes = "".join(map(paragraph, self.attrs.get("notes", ())))
        return paragraph(self.attrs.get("heading", "")) + html_table(pd.DataFrame(self)) + notes


def headed(frame: pd.DataFrame, heading: str, notes: tuple[str, ...] = (), **attrs: Any) -> InferenceTable:
    """The frame under a heading."""
    table = InferenceTable(frame)
    table.attrs.update({"heading": heading, "notes": notes} | attrs)
    return table

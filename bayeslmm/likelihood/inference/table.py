"""A table that says, wherever it is shown, how its numbers were made."""

from typing import Any

import pandas as pd


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
        from html import escape

        body = pd.DataFrame(self).to_html(float_format="{:.5g}".format, na_rep="", border=0)
        notes = "".join(f"<p>{escape(note)}</p>" for note in self.attrs.get("notes", ()))
        return f"<p>{escape(self.attrs.get('heading', ''))}</p>{body}{notes}"


def headed(frame: pd.DataFrame, heading: str, notes: tuple[str, ...] = (), **attrs: Any) -> InferenceTable:
    """The frame under a heading."""
    table = InferenceTable(frame)
    table.attrs.update({"heading": heading, "notes": notes} | attrs)
    return table

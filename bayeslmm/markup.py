"""HTML of what notebooks show: the one place where text becomes markup, escaped on its way."""

from collections.abc import Iterable
from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd


def paragraph(text: str, *, strong: bool = False) -> str:
    """One paragraph; nothing where there is no text."""
    if not text:
        return ""
    return f"<p><b>{escape(text)}</b></p>" if strong else f"<p>{escape(text)}</p>"


def inline(text: str) -> str:
    """Text in a plot: Plotly reads a little HTML."""
    return escape(text, quote=False)


def bold(text: str) -> str:
    """Text set in bold, in a plot too."""
    return f"<b>{inline(text)}</b>"


def preformatted(text: str) -> str:
    """Text whose columns are aligned by spaces."""
    return f"<pre>{escape(text)}</pre>"


def html_table(frame: "pd.DataFrame") -> str:
    """A frame with its index and five significant digits; what is missing stays empty."""
    html: str = frame.to_html(float_format="{:.5g}".format, na_rep="", border=0, escape=True)
    return html


def sentences(rows: Iterable[tuple[str, str, str]]) -> str:
    """A table without a head: name, word, sentence."""
    left = "style='text-align:left'"
    body = "".join(
        f"<tr><th {left}>{escape(name)}</th><td>{escape(word)}</td><td {left}>{escape(text)}</td></tr>"
        for name, word, text in rows
    )
    return f"<table>{body}</table>"

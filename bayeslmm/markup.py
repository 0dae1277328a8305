"""The one place where text becomes markup, HTML, Markdown or LaTeX, escaped on its way."""

import re
from collections.abc import Iterable
from html import escape
from typing import TYPE_CHECKING, NamedTuple

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


def html_table(frame: "pd.DataFrame", most: int | None = None) -> str:
    """A frame with its index and five significant digits; what is missing stays empty.

    Parameters
    ----------
    most : rows shown, from both ends; all if None.
    """
    html: str = frame.to_html(float_format="{:.5g}".format, na_rep="", border=0, escape=True, max_rows=most)
    return html


def sentences(rows: Iterable[tuple[str, str, str]]) -> str:
    """A table without a head: name, word, sentence."""
    left = "style='text-align:left'"
    body = "".join(
        f"<tr><th {left}>{escape(name)}</th><td>{escape(word)}</td><td {left}>{escape(text)}</td></tr>"
        for name, word, text in rows
    )
    return f"<table>{body}</table>"


MARKED = re.compile(r"[\\`*_\[\]|#~$]")
TAG = re.compile(r"<(?=\S)")  # where it could begin one: "< 0.001" doesn't


class Cells(NamedTuple):
    """A table of text: its head, its rows, and which columns stand to the left."""

    head: list[str]
    rows: list[list[str]]
    left: list[bool]


def html_cells(cells: Cells, caption: str = "", notes: Iterable[str] = ()) -> str:
    """A table with its caption, and a paragraph for each note below it."""
    above = f"<caption>{escape(caption)}</caption>" if caption else ""
    head = _html_row("th", cells.head, cells.left)
    body = "".join(_html_row("td", row, cells.left) for row in cells.rows)
    table = f"<table>{above}<thead>{head}</thead><tbody>{body}</tbody></table>"
    return table + "".join(map(paragraph, notes))


def _html_row(tag: str, texts: Iterable[str], left: Iterable[bool]) -> str:
    sides = ("left" if each else "right" for each in left)
    inside = (
        f"<{tag} style='text-align:{side}'>{escape(_minus(text))}</{tag}>"
        for text, side in zip(texts, sides, strict=True)
    )
    return f"<tr>{''.join(inside)}</tr>"


def markdown_cells(cells: Cells, caption: str = "", notes: Iterable[str] = ()) -> str:
    """A pipe table, its caption above and its notes below; characters that Markdown reads are escaped."""
    rules = [":--" if left else "--:" for left in cells.left]
    lines = [_pipes(map(markdown, cells.head)), _pipes(rules)]
    lines += [_pipes(markdown(_minus(text)) for text in row) for row in cells.rows]
    table = "\n".join(lines)
    return "\n\n".join(part for part in (markdown(caption), table, *map(markdown, notes)) if part)


def _pipes(texts: Iterable[str]) -> str:
    return f"| {' | '.join(texts)} |"


def markdown(text: str) -> str:
    """Text in Markdown, on one line: what could mark something is escaped, HTML too.

    >>> print(markdown("cor[a: b_1, <i>]"))
    cor\\[a: b\\_1, &lt;i>\\]
    """
    marked = MARKED.sub(lambda found: "\\" + found[0], " ".join(text.split()))
    return TAG.sub("&lt;", marked.replace("&", "&amp;"))


def latex_cells(cells: Cells, caption: str = "", notes: Iterable[str] = ()) -> str:
    """A tabular with booktabs' rules inside a table; characters that TeX reads are escaped."""
    sides = "".join("l" if left else "r" for left in cells.left)
    lines = [r"\begin{table}", r"\centering"]
    lines += [rf"\caption{{{latex(caption)}}}"] if caption else []
    lines += [rf"\begin{{tabular}}{{{sides}}}", r"\toprule", _ampersands(map(latex, cells.head)), r"\midrule"]
    lines += [_ampersands(latex(_minus(text)) for text in row) for row in cells.rows]
    lines += [r"\bottomrule", r"\end{tabular}", *(rf"\par {latex(note)}" for note in notes), r"\end{table}"]
    return "\n".join(lines)


def _ampersands(texts: Iterable[str]) -> str:
    return rf"{' & '.join(texts)} \\"


OF_LATEX = {sign: rf"\{sign}" for sign in "&%$#_{}"} | {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": "$<$",
    ">": "$>$",
    "|": r"\textbar{}",
    '"': r"\textquotedbl{}",
    "[": "{[}",
    "]": "{]}",
    "−": "$-$",
    "±": r"$\pm$",
    "–": "--",
    "Δ": r"$\Delta$",
}


def latex(text: str) -> str:
    """Text in LaTeX, on one line."""
    return "".join(OF_LATEX.get(each, each) for each in " ".join(text.split()))


def _minus(text: str) -> str:
    """A number's hyphen as a true minus; other text as it is."""
    return "−" + text[1:] if text[:1] == "-" and text[1:2].isdigit() else text

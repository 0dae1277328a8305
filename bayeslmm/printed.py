"""Tables for papers and pages: cells with sensible digits, laid out as LaTeX, Markdown or HTML."""

from collections.abc import Mapping
from math import floor, isfinite, log10
from numbers import Integral, Real
from typing import Any, ClassVar, NamedTuple

import numpy as np
import pandas as pd

from bayeslmm.arguments import Face
from bayeslmm.markup import Cells, html_cells, html_table, latex_cells, markdown_cells, paragraph

PROBABILITIES = ("p", "p.value", "probability")
ERRORS = ("se", "sd", "std.error")
IN_UNITS = ("estimate", "mean", "median", "lower", "upper", "conf.low", "conf.high", *ERRORS)
CRITERIA = ("AIC", "BIC", "logLik", "REMLcrit", "deviance", "aic", "bic", "loglik")
DIGITS = 3  # of an error, and of what has none one more
SMALLEST = 0.001  # p that is written


class Page(NamedTuple):
    """What is printed: a frame, the line above it and those below."""

    frame: pd.DataFrame
    caption: str = ""
    notes: tuple[str, ...] = ()


class Printed(Face):
    """What can be printed as a table; a class says what is on its `page`."""

    __slots__ = ()
    INNER: ClassVar[tuple[str, ...]] = ("page",)

    @property
    def page(self) -> Page:
        """What is printed."""
        raise NotImplementedError

    def to_frame(self) -> pd.DataFrame:
        """The numbers as an ordinary DataFrame."""
        return pd.DataFrame(self.page.frame)

    def to_latex(self) -> str:
        """A LaTeX table with booktabs' rules; numbers to the digits their errors leave, p as "< 0.001"."""
        return latex(self.page)

    def to_markdown(self) -> str:
        """A Markdown table; numbers to the digits their errors leave, p as "< 0.001"."""
        return markdown(self.page)

    def to_html(self) -> str:
        """An HTML table; numbers to the digits their errors leave, p as "< 0.001"."""
        return html(self.page)


def latex(page: Page) -> str:
    """A LaTeX table with booktabs' rules."""
    return latex_cells(cells(page.frame), page.caption, page.notes)


def markdown(page: Page) -> str:
    """A Markdown table."""
    return markdown_cells(cells(page.frame), page.caption, page.notes)


def html(page: Page) -> str:
    """An HTML table."""
    return html_cells(cells(page.frame), page.caption, page.notes)


def screen_text(frame: pd.DataFrame, na_rep: str = "") -> str:
    """A frame to five digits, all its columns and as many rows as pandas shows of one."""
    most, least = pd.get_option("display.max_rows"), pd.get_option("display.min_rows")
    return frame.to_string(float_format="{:.5g}".format, na_rep=na_rep, max_rows=most, min_rows=least)


def screen_html(frame: pd.DataFrame) -> str:
    """The same as HTML, and how many rows there are where some are left out."""
    most = pd.get_option("display.max_rows")
    left_out = most and len(frame) > most
    return html_table(frame, most) + paragraph(f"{len(frame)} rows" if left_out else "")


def cells(frame: pd.DataFrame) -> Cells:
    """A frame as text: its index where that says something, then its columns."""
    shown = _with_keys(frame)
    n_keys, names = shown.shape[1] - frame.shape[1], [str(name) for name in shown.columns]
    columns = [shown.iloc[:, i] for i in range(len(names))]
    left = [i < n_keys or not _is_number(column) for i, column in enumerate(columns)]
    rows = zip(*(column.tolist() for column in columns), strict=True)
    return Cells(names, [_row(names, row) for row in rows], left)


def _with_keys(frame: pd.DataFrame) -> pd.DataFrame:
    """The index as columns before the others; without it where it merely counts."""
    if isinstance(frame.index, pd.RangeIndex) and frame.index.name is None:
        return frame
    names = ["" if name is None else str(name) for name in frame.index.names]
    return frame.reset_index(names=names, allow_duplicates=True)


def _is_number(values: "pd.Series[Any]") -> bool:
    return pd.api.types.is_numeric_dtype(values) and not pd.api.types.is_bool_dtype(values)


def _row(names: list[str], values: tuple[Any, ...]) -> list[str]:
    places = _places(dict(zip(names, values, strict=True)))
    return [cell(name, value, places) for name, value in zip(names, values, strict=True)]


def _places(row: Mapping[str, Any]) -> int | None:
    """Decimal places of what is in units of the row's error; None where there is no error."""
    errors = [row[name] for name in ERRORS if isinstance(row.get(name), Real)]
    return next((places for places in map(error_places, errors) if places is not None), None)


def error_places(error: float) -> int | None:
    """Decimal places that an error leaves worth printing; None where it isn't a positive number."""
    return DIGITS - 1 - floor(log10(error)) if isfinite(error) and error > 0 else None


def cell(column: str, value: Any, places: int | None = None) -> str:
    """One value as text; nothing where it is missing.

    Parameters
    ----------
    places : decimals of what is in units of the row's error.

    >>> cell("p", 0.00004), cell("estimate", 251.40510, 0), cell("t", 36.8381)
    ('< 0.001', '251', '36.84')
    """
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, Real):
        return "" if value is None or value is pd.NA else str(value)
    if not isfinite(value):
        return "" if np.isnan(float(value)) else str(value)
    if isinstance(value, Integral):
        return str(int(value))
    return _number(column, float(value), places)


def _number(column: str, value: float, places: int | None) -> str:
    if column in PROBABILITIES or column.startswith("p_"):
        return f"< {SMALLEST}" if value < SMALLEST else f"{value:.3f}"
    if column in CRITERIA:
        return f"{value:.1f}"
    if places is not None and column in IN_UNITS and abs(value) < 1e6 and places < 8:
        return f"{round(value, places) + 0.0:.{max(places, 0)}f}"
    if value and not 1e-4 <= abs(value) < 1e7:
        return f"{value:.{DIGITS}e}"
    return np.format_float_positional(value, precision=DIGITS + 1, unique=False, fractional=False, trim="-")

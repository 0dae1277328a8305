"""Write the report: a page that asks no network for anything, Markdown and a LaTeX table beside it."""

from collections.abc import Collection
from pathlib import Path

from bayeslmm.errors import OptionError, OutputError
from bayeslmm.parity.comparison import Comparison
from bayeslmm.parity.report import sections as all_sections  # noqa: F401  (its files register themselves)
from bayeslmm.parity.report.sections.base import sections_of
from bayeslmm.parity.report.sections.verdicts import parameter_table
from bayeslmm.render.page.blocks import Page
from bayeslmm.render.page.html import to_html
from bayeslmm.render.page.latex import to_latex
from bayeslmm.render.page.markdown import to_markdown

WHAT = "Parity report"
PAGES = (".html", ".htm")


def write_report(parity: Comparison, path: Path, also: Collection[str] = ()) -> Path:
    """Write the page at `path`, the same as Markdown (.md) and its table as LaTeX (.tex) beside it.

    Raises
    ------
    OutputError
        If a file cannot be written.
    OptionError
        If a section asked for isn't one that can be, or the path's name isn't one of a page.
    """
    if path.suffix not in PAGES:
        raise OptionError(
            f"a report is a page: name it {path.with_suffix('.html')}; .md and .tex stand beside it"
        )
    page = page_of(parity, also)
    caption = f"{parity.formula}: estimates, posterior summaries and verdicts."
    texts = {
        path: to_html(page),
        path.with_suffix(".md"): to_markdown(page),
        path.with_suffix(".tex"): to_latex(parameter_table(parity), caption),
    }
    for place, text in texts.items():
        try:
            place.write_text(text, encoding="utf-8")
        except OSError as error:
            raise OutputError(f"the report cannot be written to {place}: {error.strerror}") from error
    return path


def page_of(parity: Comparison, also: Collection[str] = ()) -> Page:
    """The report as sections, with those asked for beside the usual ones."""
    version = parity.manifest.versions.get("bayeslmm", "")
    written = (
        f"Written by bayeslmm {version}. The page is complete in itself and asks no network for anything."
    )
    return Page(WHAT, parity.formula, sections_of(parity, also), written)

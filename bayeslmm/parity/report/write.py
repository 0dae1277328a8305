"""The report page: what the comparison found, on one HTML page that asks no network for anything."""

from pathlib import Path
from typing import Any

from bayeslmm.errors import OutputError
from bayeslmm.parity.comparison import Comparison
from bayeslmm.parity.report.figures import figures_of
from bayeslmm.parity.report.tables import tables_of

PAGE = Path(__file__).parent / "page"

CONTENTS = (
    ("data", "Model and data"),
    ("estimates", "Estimates"),
    ("verdicts", "Verdicts"),
    ("forest", "Intervals"),
    ("densities", "Distributions"),
    ("shrinkage", "Random effects"),
    ("certificate", "Certificate"),
    ("checks", "Checks"),
    ("manifest", "Manifest"),
)


def write_report(parity: Comparison, path: Path) -> Path:
    """Write the page and give its path.

    Raises
    ------
    OutputError
        If the file cannot be written.
    """
    page = render_report(parity)
    try:
        path.write_text(page, encoding="utf-8")
    except OSError as error:
        raise OutputError(f"the report cannot be written to {path}: {error.strerror}") from error
    return path


def render_report(parity: Comparison) -> str:
    """Give the page as text."""
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(PAGE),
        autoescape=True,
        trim_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    return environment.get_template("report.html.j2").render(context_of(parity))


def context_of(parity: Comparison) -> dict[str, Any]:
    """Gather what the template shows."""
    from markupsafe import Markup

    css = Markup((PAGE / "report.css").read_text(encoding="utf-8"))
    version = parity.manifest.versions.get("bayeslmm", "")
    context = {**tables_of(parity), **figures_of(parity), "css": css, "version": version}
    empty = {name for name in ("forest", "densities", "shrinkage") if not context[name]["plots"]}
    return context | {"contents": [entry for entry in CONTENTS if entry[0] not in empty]}

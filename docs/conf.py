"""Sphinx configuration: MyST pages, executed notebooks, numpydoc API pages; no network."""

import os
import re
from pathlib import Path

import bayeslmm

project = "bayeslmm"
author = "The bayeslmm developers"
project_copyright = "2025, The bayeslmm developers"
release = bayeslmm.__version__

extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx.ext.mathjax", "numpydoc"]
exclude_patterns = ["_build", "_benchmarks", "**/.ipynb_checkpoints", "jupyter_execute"]

html_theme = "furo"
html_static_path = ["_static"]
html_css_files = ["tables.css"]
html_title = "bayeslmm"

myst_enable_extensions = ["dollarmath", "colon_fence"]
myst_heading_anchors = 3
# plots of notebooks as HTML that carries its own script, not as data for a front end
os.environ["PLOTLY_RENDERER"] = "notebook"
nb_execution_mode = "cache"
nb_execution_timeout = 600
nb_execution_raise_on_error = True

autodoc_member_order = "bysource"
autodoc_typehints = "none"
numpydoc_show_class_members = False


def _equations() -> list[str]:
    """Labels of the mathematics page's equations in order."""
    text = (Path(__file__).parent / "mathematics.md").read_text(encoding="utf-8")
    return re.findall(r"\$\$ \(([\w-]+)\)$", text, flags=re.M)


def _linked(match: re.Match[str]) -> str:
    links = re.sub(r"\d+", lambda number: f":eq:`{_equations()[int(number[0]) - 1]}`", match[2])
    return links if match[1] else f"eq. {links}"


def _link_equations(app, what, name, obj, options, lines) -> None:
    """Make a docstring's "(eq. 5)" a link to the equation, which Sphinx writes "(5)"."""
    lines[:] = [re.sub(r"(?<!20\d\d, )(\()?\beq\. (\d+(?:, \d+)*)(?(1)\))", _linked, line) for line in lines]


ITEM = r"\w+(?:, \w+)* : "


def _apart(entry: re.Match[str]) -> str:
    items = re.split(rf"(?<=[.;)] )(?={ITEM})", " ".join(entry[0].split()))
    typed = not items[1:] and not re.match(r".*\n +[a-z(]", entry[0])  # no sentence that goes on
    return entry[0] if typed else "\n".join(item.replace(" : ", "\n    ", 1) for item in items)


def _one_item_a_line(app, what, name, obj, options, lines) -> None:
    """Part "design : the matrices. options : how it was fitted.": numpydoc reads one a line."""
    lines[:] = re.sub(rf"^{ITEM}.*(?:\n {{4}}.+)*", _apart, "\n".join(lines), flags=re.M).split("\n")


def setup(app) -> None:
    app.connect("autodoc-process-docstring", _one_item_a_line, priority=400)  # before numpydoc's own
    app.connect("autodoc-process-docstring", _link_equations)

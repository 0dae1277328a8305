"""A page as HTML that asks no network for anything."""

import json
from collections.abc import Iterable, Iterator
from itertools import count
from pathlib import Path
from typing import Any

from bayeslmm.render.page.blocks import Block, Folded, Mark, Page, Plots

FILES = Path(__file__).parent / "files"

SHAPES = {
    "dot": '<circle cx="15" cy="6" r="4.5" fill="{0}"/>',
    "ring": '<circle cx="15" cy="6" r="4" fill="var(--paper)" stroke="{0}" stroke-width="2"/>',
    "diamond": '<path d="M15 1 L20 6 L15 11 L10 6 Z" fill="{0}"/>',
    "tick": '<path d="M15 0 V12" stroke="{0}" stroke-width="2"/>',
    "none": "",
}
LINES = {"solid": "", "dot": ' stroke-dasharray="3 3"'}


def to_html(page: Page) -> str:
    """The page as text."""
    import jinja2
    from markupsafe import Markup

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(FILES),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    numbers = count()
    environment.globals |= {"id": id, "drawn": drawn, "numbered": lambda name: f"{name}-{next(numbers)}"}
    figures = _figures(page)
    return environment.get_template("page.html.j2").render(
        page=page,
        names={id(plot): name for name, plot in figures.items()},
        figures=Markup(_json({name: json.loads(plot.figure.to_json()) for name, plot in figures.items()})),
        plotly=Markup(_plotly() if figures else ""),
        css=Markup((FILES / "page.css").read_text(encoding="utf-8")),
        js=Markup((FILES / "page.js").read_text(encoding="utf-8")),
    )


def drawn(mark: Mark) -> Any:
    """A mark of a key as the inside of an SVG, 30 by 12."""
    from markupsafe import Markup

    dash = LINES.get(mark.dash)
    line = "" if dash is None else f'<path d="M1 6 H29" stroke="{mark.colour}" stroke-width="2"{dash}/>'
    return Markup(line + SHAPES[mark.shape].format(mark.colour))


def _json(values: Any) -> str:
    """JSON that can stand in a script element."""
    return json.dumps(values).replace("<", "\\u003c")


def _plotly() -> str:
    from plotly.offline import get_plotlyjs

    return str(get_plotlyjs())


def _figures(page: Page) -> dict[str, Any]:
    """Every plot by its identifier: its section's and a number."""
    return {
        f"{section.id}-{number}": plot
        for section in page.sections
        for number, plot in enumerate(_plots(section.blocks))
    }


def _plots(blocks: Iterable[Block]) -> Iterator[Any]:
    for block in blocks:
        if isinstance(block, Plots):
            yield from block.plots
        elif isinstance(block, Folded):
            yield from _plots(block.blocks)

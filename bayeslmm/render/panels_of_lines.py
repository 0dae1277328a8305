"""One panel a level: its observations, the population's line and its own."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from bayeslmm.markup import inline
from bayeslmm.render.style import INK, LIKELIHOOD, NEUTRAL, axis, finish

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

type Array = NDArray[np.float64]

COLUMNS, ROW = 6, 170.0  # pixels


@dataclass(frozen=True, slots=True, eq=False)
class LinesPanel:
    """What one level shows, by increasing x.

    Attributes
    ----------
    title : of the level. x, y : (m,) observations.
    population, level : (m,) fitted values without and with the level's random effects.
    """

    title: str
    x: Array
    y: Array
    population: Array
    level: Array


def plot_panels_of_lines(panels: Sequence[LinesPanel], x: str, y: str) -> "Figure":
    """Draw small multiples on shared axes.

    Parameters
    ----------
    panels : one a level, in their order. x, y : titles of the axes.
    """
    from plotly.subplots import make_subplots

    columns = min(COLUMNS, len(panels))
    rows = -(-len(panels) // columns)
    figure = make_subplots(
        rows=rows,
        cols=columns,
        subplot_titles=[inline(panel.title) for panel in panels],
        shared_xaxes="all",
        shared_yaxes="all",
        horizontal_spacing=0.015,
        vertical_spacing=0.2 / rows,
    )
    for number, panel in enumerate(panels):
        _draw(figure, panel, {"row": number // columns + 1, "col": number % columns + 1}, number == 0)
    figure.update_xaxes(**axis(nticks=4))
    figure.update_yaxes(**axis(nticks=5))
    for number in range(len(panels) - columns, len(panels)):
        figure.update_xaxes(showticklabels=True, row=number // columns + 1, col=number % columns + 1)
    figure.update_xaxes(title_text=inline(x), row=rows, col=1)
    figure.update_yaxes(title_text=inline(y), row=rows, col=1)
    figure.update_annotations(font_size=12)
    return finish(figure, ROW * rows + 80, top=30)


def _draw(figure: "Figure", panel: LinesPanel, where: dict[str, int], legend: bool) -> None:
    marker = {"color": INK, "size": 4, "symbol": "circle-open"}
    figure.add_scatter(
        x=panel.x,
        y=panel.y,
        mode="markers",
        marker=marker,
        name="observed",
        legendgroup="observed",
        showlegend=legend,
        **where,
    )
    for name, values, line in (
        ("population", panel.population, {"color": NEUTRAL, "dash": "dash", "width": 1.5}),
        ("level", panel.level, {"color": LIKELIHOOD, "width": 2}),
    ):
        figure.add_scatter(
            x=panel.x,
            y=values,
            mode="lines",
            line=line,
            name=name,
            legendgroup=name,
            showlegend=legend,
            **where,
        )

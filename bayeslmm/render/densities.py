"""Posterior densities with the estimate and the bootstrap distribution drawn in."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from bayeslmm.markup import bold, inline
from bayeslmm.render import style
from bayeslmm.render.kde import density
from bayeslmm.spec.labels import kind_of

if TYPE_CHECKING:
    from plotly.graph_objects import Figure, Scatter

PANEL = 190  # pixels
BOUNDS = {"sd": (0.0, np.inf), "sigma": (0.0, np.inf), "cor": (-1.0, 1.0)}


@dataclass(frozen=True, slots=True, eq=False)
class DensityPanel:
    """One estimand's distributions.

    Attributes
    ----------
    label : str
    draws : (n,) posterior draws
    bootstrap : (m,) bootstrap estimates, or None
    estimate : float, NaN for none
    source : str
        What gave the estimate, e.g. ``"REML"``.
    """

    label: str
    draws: NDArray[np.float64]
    bootstrap: NDArray[np.float64] | None
    estimate: float
    source: str


def plot_densities(
    panels: Sequence[DensityPanel], columns: int = 2, legend: bool = True, unit: str = ""
) -> "Figure":
    """Draw one panel an estimand: posterior filled, bootstrap dotted, estimate as a vertical line.

    Parameters
    ----------
    unit : of what all panels show, under the last row.

    Returns
    -------
    plotly.graph_objects.Figure
    """
    from plotly.subplots import make_subplots

    columns = max(1, min(columns, len(panels)))
    rows = max(1, -(-len(panels) // columns))
    titles = [bold(panel.label) for panel in panels]
    figure = make_subplots(
        rows=rows, cols=columns, subplot_titles=titles, vertical_spacing=0.28 / rows, horizontal_spacing=0.06
    )
    for number, panel in enumerate(panels):
        for trace in _traces(panel, legend=number == 0):
            figure.add_trace(trace, row=number // columns + 1, col=number % columns + 1)
    figure.update_xaxes(**style.axis(nticks=6))
    figure.update_yaxes(visible=False, fixedrange=True, rangemode="tozero")
    if unit:
        figure.update_xaxes(title_text=inline(unit), row=rows)
    figure.update_annotations(font_size=13)
    return style.finish(figure, PANEL * rows + 40 + 34 * legend, legend, top=30)


def _traces(panel: DensityPanel, legend: bool) -> "list[Scatter]":
    from plotly.graph_objects import Scatter

    x, y = density(panel.draws, *_bounds(panel.label))
    fill = {"fill": "tozeroy", "fillcolor": style.faded(style.POSTERIOR, 0.18)}
    traces = [_curve("Posterior", x, y, style.POSTERIOR, "solid", legend).update(fill)]
    top = float(np.max(y))
    if panel.bootstrap is not None and np.ptp(panel.bootstrap) > 0:
        x, y = density(panel.bootstrap, *_bounds(panel.label))
        traces.append(_curve("Bootstrap of the estimate", x, y, style.LIKELIHOOD, "dot", legend))
        top = min(max(top, float(np.max(y))), 2 * top)
    if isfinite(panel.estimate):
        line = {"color": style.LIKELIHOOD, "width": 2}
        traces.append(
            Scatter(
                x=[panel.estimate] * 2,
                y=[0, top],
                mode="lines",
                line=line,
                name=f"{panel.source} estimate",
                legendgroup="estimate",
                showlegend=legend,
            )
        )
    return traces


def _curve(name: str, x: object, y: object, colour: str, dash: str, legend: bool) -> "Scatter":
    from plotly.graph_objects import Scatter

    line = {"color": colour, "width": 2, "dash": dash}
    return Scatter(
        x=x, y=y, mode="lines", line=line, name=name, legendgroup=name, showlegend=legend, hoverinfo="x+name"
    )


def _bounds(label: str) -> tuple[float, float]:
    return BOUNDS.get(kind_of(label), (-np.inf, np.inf))

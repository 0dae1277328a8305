"""The shrinkage plot: BLUPs against posterior means, and what they were shrunk from."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from bayeslmm.markup import bold, inline
from bayeslmm.render import style

if TYPE_CHECKING:
    from plotly.graph_objects import Figure, Scatter

type Array = NDArray[np.float64]

PANEL = 360  # pixels


@dataclass(frozen=True, slots=True, eq=False)
class ShrinkagePanel:
    """The J random effects of one coef of a group, as deviations from the fixed effects.

    Attributes
    ----------
    title : str
        e.g. ``"Subject: Days"``.
    levels : (J,) names
    blup, mean : (J,)
        Best linear unbiased predictions and posterior means.
    blup_lower, blup_upper, post_lower, post_upper : (J,)
        Ends of the intervals; NaN where there is none.
    no_pooling : (J,) or None
        Each level's own least squares estimate.
    """

    title: str
    levels: tuple[str, ...]
    blup: Array
    blup_lower: Array
    blup_upper: Array
    mean: Array
    post_lower: Array
    post_upper: Array
    no_pooling: Array | None = None


def plot_shrinkage(
    panels: Sequence[ShrinkagePanel], columns: int = 2, legend: bool = True, unit: str = ""
) -> "Figure":
    """Draw posterior means over BLUPs, with intervals and the line of equality, one panel a coef.

    Hollow points are the levels' own least squares estimates (no pooling): their vertical distance to the
    line of equality is how far the model shrinks them.

    Parameters
    ----------
    unit : what the response is measured in or called.

    Returns
    -------
    plotly.graph_objects.Figure
    """
    from plotly.subplots import make_subplots

    columns = max(1, min(columns, len(panels)))
    rows = max(1, -(-len(panels) // columns))
    titles = [bold(panel.title) for panel in panels]
    figure = make_subplots(
        rows=rows, cols=columns, subplot_titles=titles, vertical_spacing=0.36 / rows, horizontal_spacing=0.1
    )
    for number, panel in enumerate(panels):
        place = {"row": number // columns + 1, "col": number % columns + 1}
        for trace in _traces(panel, legend=number == 0):
            figure.add_trace(trace, **place)
    of = f", {inline(unit)}" if unit else ""
    figure.update_xaxes(**style.axis(title_text=f"BLUP{of}", nticks=6, zeroline=True))
    figure.update_yaxes(**style.axis(title_text=f"posterior mean, no pooling{of}", nticks=6, zeroline=True))
    figure.update_annotations(font_size=13)
    return style.finish(figure, PANEL * rows + 40 + 34 * legend, legend, top=30)


def _traces(panel: ShrinkagePanel, legend: bool) -> "list[Scatter]":
    from plotly.graph_objects import Scatter

    ends = np.array([np.nanmin(panel.blup), np.nanmax(panel.blup)])
    equality = Scatter(
        x=ends,
        y=ends,
        mode="lines",
        line={"color": style.NEUTRAL, "width": 1},
        name="equality",
        hoverinfo="skip",
        showlegend=legend,
        legendgroup="equality",
    )
    pooled = [] if panel.no_pooling is None else _shrunk_from(panel, panel.no_pooling, legend)
    return [equality, *pooled, _effects(panel, legend)]


def _effects(panel: ShrinkagePanel, legend: bool) -> "Scatter":
    from plotly.graph_objects import Scatter

    return Scatter(
        x=panel.blup,
        y=panel.mean,
        mode="markers",
        marker={"color": style.POSTERIOR, "size": 8, "symbol": "diamond"},
        error_x=_bars(panel.blup, panel.blup_lower, panel.blup_upper, style.LIKELIHOOD),
        error_y=_bars(panel.mean, panel.post_lower, panel.post_upper, style.POSTERIOR),
        customdata=[inline(level) for level in panel.levels],
        hovertemplate="%{customdata}<br>BLUP %{x:.4g}<br>posterior mean %{y:.4g}<extra></extra>",
        name="posterior mean over BLUP",
        showlegend=legend,
        legendgroup="effects",
    )


def _shrunk_from(panel: ShrinkagePanel, no_pooling: Array, legend: bool) -> "list[Scatter]":
    from plotly.graph_objects import Scatter

    gap = np.full(len(panel.blup), np.nan)
    stems = Scatter(
        x=np.column_stack([panel.blup, panel.blup, gap]).ravel(),
        y=np.column_stack([panel.mean, no_pooling, gap]).ravel(),
        mode="lines",
        line={"color": style.NEUTRAL, "width": 1, "dash": "dot"},
        hoverinfo="skip",
        showlegend=False,
    )
    points = Scatter(
        x=panel.blup,
        y=no_pooling,
        mode="markers",
        marker={"color": style.NEUTRAL, "size": 8, "symbol": "circle-open", "line": {"width": 1.5}},
        customdata=[inline(level) for level in panel.levels],
        hovertemplate="%{customdata}<br>own least squares %{y:.4g}<extra></extra>",
        name="no pooling",
        showlegend=legend,
        legendgroup="no pooling",
    )
    return [stems, points]


def _bars(centre: Array, lower: Array, upper: Array, colour: str) -> dict[str, Any]:
    return {
        "type": "data",
        "symmetric": False,
        "array": upper - centre,
        "arrayminus": centre - lower,
        "color": style.faded(colour, 0.35),
        "thickness": 1.5,
        "width": 0,
    }

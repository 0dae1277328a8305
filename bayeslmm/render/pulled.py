"""Group means and what they are shrunk to."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from bayeslmm.markup import inline
from bayeslmm.render.style import INK, LIKELIHOOD, NEUTRAL, axis, finish

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

type Array = NDArray[np.float64]

ROW = 30.0  # pixels


def plot_pulled(labels: Sequence[str], means: Array, shrunk: Array, centre: float, unit: str) -> "Figure":
    """Draw each group's mean (hollow), its shrunk value (filled) and the centre; the largest mean is on top.

    Parameters
    ----------
    labels, means, shrunk : (k,) of the groups. unit : title of the axis.
    """
    from plotly.graph_objects import Figure

    order = np.argsort(means)
    rows = np.arange(len(order), dtype=float)
    gap = np.full(len(order), np.nan)
    names = [inline(labels[place]) for place in order]
    figure = Figure()
    figure.add_scatter(
        x=np.column_stack([means[order], shrunk[order], gap]).ravel(),
        y=np.column_stack([rows, rows, gap]).ravel(),
        mode="lines",
        line={"color": NEUTRAL, "width": 1},
        showlegend=False,
        hoverinfo="skip",
    )
    for name, values, symbol, colour in (
        ("group mean", means, "circle-open", INK),
        ("BLUP", shrunk, "diamond", LIKELIHOOD),
    ):
        marker = {"symbol": symbol, "color": colour, "size": 9}
        figure.add_scatter(
            x=values[order],
            y=rows,
            mode="markers",
            name=name,
            marker=marker,
            customdata=names,
            hovertemplate="%{customdata}<br>" + name + " %{x:.5g}<extra></extra>",
        )
    figure.add_vline(x=centre, line={"color": NEUTRAL, "width": 1, "dash": "dash"})
    figure.update_xaxes(**axis(title_text=inline(unit)))
    figure.update_yaxes(**axis(tickvals=rows, ticktext=names))
    return finish(figure, ROW * len(order) + 110)

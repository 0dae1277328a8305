"""Power over sample sizes."""

from typing import TYPE_CHECKING

import pandas as pd

from bayeslmm.render.style import LIKELIHOOD, NEUTRAL, POSTERIOR, axis, faded, finish

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

USUAL = 0.8  # the power that studies are often planned for


def plot_power(table: pd.DataFrame, along: str) -> "Figure":
    """Draw a curve with its limits.

    Parameters
    ----------
    table : by size: power, lower, upper, and assurance where there is one. along : title of the axis.
    """
    from plotly.graph_objects import Figure

    figure, sizes = Figure(), list(table.index)
    band = {"fill": "toself", "fillcolor": faded(LIKELIHOOD, 0.15), "line": {"width": 0}, "hoverinfo": "skip"}
    ends = [*table["upper"], *table["lower"][::-1]]
    figure.add_scatter(x=[*sizes, *sizes[::-1]], y=ends, mode="lines", showlegend=False, **band)
    for name, colour in (("power", LIKELIHOOD), ("assurance", POSTERIOR)):
        if name in table:
            look = {"mode": "lines+markers", "line": {"color": colour}, "name": name}
            figure.add_scatter(x=sizes, y=list(table[name]), **look)
    figure.add_hline(y=USUAL, line={"color": NEUTRAL, "width": 1, "dash": "dot"})
    figure.update_xaxes(**axis(title={"text": along}, tickvals=sizes))
    figure.update_yaxes(**axis(title={"text": "power"}, range=[0, 1.02], tickformat=".0%"))
    return finish(figure, 380)

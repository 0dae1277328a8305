"""Curves of one quantity in another, named where they end."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from bayeslmm.markup import inline
from bayeslmm.render.style import INK, LIKELIHOOD, NEUTRAL, axis, faded, finish

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

type Array = NDArray[np.float64]

HEIGHT = 360.0  # pixels
DASHES = ("solid", "dash", "dot", "dashdot")


def plot_curves(curves: Mapping[str, Array], x: str, y: str, level: float | None = None) -> "Figure":
    """Draw curves over one axis, told apart by dash and shade.

    Parameters
    ----------
    curves : (m, 2) points by name. x, y : titles of the axes, in Plotly's HTML. level : a value of y to mark.
    """
    from plotly.graph_objects import Figure

    figure = Figure()
    shades = np.linspace(1.0, 0.55, max(len(curves), 1))
    for number, ((name, points), shade) in enumerate(zip(curves.items(), shades, strict=True)):
        line = {"color": faded(LIKELIHOOD, float(shade)), "dash": DASHES[number % len(DASHES)], "width": 2}
        figure.add_scatter(x=points[:, 0], y=points[:, 1], mode="lines", name=inline(name), line=line)
    if level is not None:
        figure.add_hline(
            y=level,
            line={"color": NEUTRAL, "width": 1, "dash": "dot"},
            annotation={"text": f"{level:g}", "font": {"color": INK, "size": 11}},
        )
    figure.update_xaxes(**axis(title_text=x))
    figure.update_yaxes(**axis(title_text=y, rangemode="tozero"))
    return finish(figure, HEIGHT, legend=len(curves) > 1)

"""Matrices as pictures: zero is white, the sign is a colour, the size its depth."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from bayeslmm.markup import bold
from bayeslmm.render.style import LIKELIHOOD, POSTERIOR, RULE, axis, finish

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

type Array = NDArray[np.float64]

HEIGHT = 340.0  # pixels
SCALE = [[0.0, POSTERIOR], [0.5, "#FFFFFF"], [1.0, LIKELIHOOD]]


def plot_matrices(matrices: Mapping[str, Array]) -> "Figure":
    """Draw matrices side by side, rows downwards, each on its own scale about 0.

    Parameters
    ----------
    matrices : (n, m) by title.
    """
    from plotly.subplots import make_subplots

    widths = [max(given.shape[1] / given.shape[0], 0.25) for given in matrices.values()]
    figure = make_subplots(
        rows=1,
        cols=len(matrices),
        subplot_titles=[bold(title) for title in matrices],
        column_widths=widths,
        horizontal_spacing=0.06,
    )
    for column, given in enumerate(matrices.values(), start=1):
        largest = float(np.abs(given).max()) or 1.0
        figure.add_heatmap(
            z=given,
            zmin=-largest,
            zmax=largest,
            colorscale=SCALE,
            showscale=False,
            xgap=1,
            ygap=1,
            hovertemplate="row %{y}, column %{x}: %{z:.4g}<extra></extra>",
            row=1,
            col=column,
        )
        figure.update_xaxes(scaleanchor=f"y{column}", row=1, col=column)
    quiet = axis(showgrid=False, showticklabels=False, mirror=True, constrain="domain") | {
        "showline": True,
        "linecolor": RULE,
    }
    figure.update_xaxes(**quiet)
    figure.update_yaxes(**quiet, autorange="reversed")
    figure.update_annotations(font_size=13)
    return finish(figure, HEIGHT, legend=False, top=34)

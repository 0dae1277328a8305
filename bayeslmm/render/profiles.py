"""Profile likelihoods: zeta of each parameter, and traces with contours for each pair."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from bayeslmm.render.style import INK, LIKELIHOOD, NEUTRAL, RULE, axis, faded, finish

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

type Array = NDArray[np.float64]

COLUMNS = 3
ROW_HEIGHT = 230.0


class Pair(Protocol):
    """What is drawn of two parameters: traces (m, 2), contours (m, 2) by probability."""

    @property
    def x(self) -> str: ...
    @property
    def y(self) -> str: ...
    @property
    def trace_x(self) -> Array: ...
    @property
    def trace_y(self) -> Array: ...
    @property
    def contours(self) -> Mapping[float, Array]: ...


def zeta_figure(curves: Mapping[str, Array], limits: Mapping[str, Array], target: float) -> "Figure":
    """Small multiples of zeta, the signed root of the rise of the deviance, against the parameter.

    Parameters
    ----------
    curves : (m, 2) value and zeta, by label. limits : (2,) of the interval, NaN where there is none.
    target : zeta at the limits.
    """
    figure = _multiples(list(curves))
    for place, (label, curve) in enumerate(curves.items()):
        where = {"row": place // COLUMNS + 1, "col": place % COLUMNS + 1}
        figure.add_scatter(x=curve[:, 0], y=curve[:, 1], mode="lines", line={"color": LIKELIHOOD}, **where)
        for limit, zeta in zip(limits[label], (-target, target), strict=True):
            if np.isfinite(limit):
                figure.add_scatter(
                    x=[limit, limit],
                    y=[0, zeta],
                    mode="lines",
                    line={"color": NEUTRAL, "dash": "dot"},
                    **where,
                )
        figure.update_yaxes(title_text="ζ" if place % COLUMNS == 0 else None, **where)
    return _framed(figure, len(curves))


def pairs_figure(labels: Sequence[str], pairs: Sequence[Pair]) -> "Figure":
    """Small multiples of two parameters each: contours, the trace with x held, and (dashed) with y held."""
    figure = _multiples([f"{pair.y} against {pair.x}" for pair in pairs])
    for place, pair in enumerate(pairs):
        where = {"row": place // COLUMNS + 1, "col": place % COLUMNS + 1}
        for prob, ring in pair.contours.items():
            line = {"color": faded(LIKELIHOOD, 1 - 0.8 * prob), "width": 1.5}
            name = f"{100 * prob:g} %"
            figure.add_scatter(x=ring[:, 0], y=ring[:, 1], mode="lines", line=line, name=name, **where)
        for trace, dash in ((pair.trace_x, "solid"), (pair.trace_y, "dash")):
            line = {"color": INK, "dash": dash, "width": 1}
            figure.add_scatter(x=trace[:, 0], y=trace[:, 1], mode="lines", line=line, **where)
    return _framed(figure, len(pairs))


def _multiples(titles: list[str]) -> "Figure":
    from plotly.subplots import make_subplots

    rows = -(-len(titles) // COLUMNS)
    return make_subplots(
        rows=rows,
        cols=COLUMNS,
        subplot_titles=titles,
        vertical_spacing=0.3 / rows,
        horizontal_spacing=0.08,
    )


def _framed(figure: "Figure", count: int) -> "Figure":
    figure.update_xaxes(**axis())
    figure.update_yaxes(**axis(zeroline=True, zerolinecolor=RULE))
    figure.update_annotations(font_size=12)
    rows = -(-count // COLUMNS)
    return finish(figure, ROW_HEIGHT * rows, legend=False, top=32)

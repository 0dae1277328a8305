"""What is left over, drawn: residuals over fitted values, quantiles, simulated residuals, influence."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from bayeslmm.markup import bold, inline
from bayeslmm.render.smooth import smooth
from bayeslmm.render.style import INK, LIKELIHOOD, NEUTRAL, axis, faded, finish

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

type Array = NDArray[np.float64]

PANEL = 320.0  # pixels
COLUMNS = 2
MOST = 20_000  # points that are drawn
DOT = {"color": faded(INK, 0.55), "size": 5, "symbol": "circle-open"}
GUIDE = {"color": NEUTRAL, "width": 1, "dash": "dash"}
TREND = {"color": LIKELIHOOD, "width": 2}


@dataclass(frozen=True, slots=True, eq=False)
class Scatter:
    """Points with a smooth line through them.

    Attributes
    ----------
    title, x_title, y_title : text. x, y : (n,). names : (n,) of the points, shown where one points at them.
    level : a value of y to mark, None for none.
    """

    title: str
    x_title: str
    y_title: str
    x: Array
    y: Array
    names: tuple[str, ...] = ()
    level: float | None = 0.0


@dataclass(frozen=True, slots=True, eq=False)
class Quantiles:
    """Ordered values against the quantiles they should have, with a band.

    Attributes
    ----------
    title : text. expected, found : (n,), increasing. lower, upper : (n,) of the band.
    names : (n,) of the points.
    """

    title: str
    expected: Array
    found: Array
    lower: Array
    upper: Array
    names: tuple[str, ...] = ()


def plot_panels(panels: Sequence[Scatter | Quantiles]) -> "Figure":
    """Draw panels two in a row, each on its own scale."""
    from plotly.subplots import make_subplots

    columns = min(COLUMNS, len(panels))
    rows = -(-len(panels) // columns)
    figure = make_subplots(
        rows=rows,
        cols=columns,
        subplot_titles=[bold(panel.title) for panel in panels],
        vertical_spacing=0.36 / rows,
        horizontal_spacing=0.12,
    )
    for number, panel in enumerate(panels):
        where = {"row": number // columns + 1, "col": number % columns + 1}
        (_draw_scatter if isinstance(panel, Scatter) else _draw_quantiles)(figure, panel, where)
    figure.update_annotations(font_size=13)
    return finish(figure, PANEL * rows + 30, legend=False, top=34)


def _draw_scatter(figure: "Figure", panel: Any, where: dict[str, int]) -> None:
    _dots(figure, panel.x, panel.y, panel.names, where)
    x, y = smooth(panel.x, panel.y)
    figure.add_scatter(x=x, y=y, mode="lines", line=TREND, hoverinfo="skip", **where)
    if panel.level is not None:
        figure.add_hline(y=panel.level, line=GUIDE, **where)
    _titled(figure, panel.x_title, panel.y_title, where)


def _draw_quantiles(figure: "Figure", panel: Any, where: dict[str, int]) -> None:
    x = np.concatenate([panel.expected, panel.expected[::-1]])
    band = np.concatenate([panel.upper, panel.lower[::-1]])
    fill = {"fill": "toself", "fillcolor": faded(NEUTRAL, 0.18), "line": {"width": 0}}
    figure.add_scatter(x=x, y=band, mode="lines", hoverinfo="skip", **fill, **where)
    middle = (panel.lower + panel.upper) / 2
    figure.add_scatter(x=panel.expected, y=middle, mode="lines", line=GUIDE, hoverinfo="skip", **where)
    _dots(figure, panel.expected, panel.found, panel.names, where)
    _titled(figure, "expected", "found", where)


def _dots(figure: "Figure", x: Array, y: Array, names: tuple[str, ...], where: dict[str, int]) -> None:
    kept = _thinned(len(x))
    text = [inline(names[i]) for i in kept] if names else None
    hover = "%{text}: %{x:.4g}, %{y:.4g}<extra></extra>" if names else "%{x:.4g}, %{y:.4g}<extra></extra>"
    shown = {"x": x[kept], "y": y[kept], "text": text, "hovertemplate": hover}
    figure.add_scatter(mode="markers", marker=DOT, **shown, **where)


def _titled(figure: "Figure", x: str, y: str, where: dict[str, int]) -> None:
    figure.update_xaxes(**axis(title_text=inline(x), nticks=6), **where)
    figure.update_yaxes(**axis(title_text=inline(y), nticks=6), **where)


def _thinned(n: int) -> NDArray[np.intp]:
    """Which of n points are drawn: all, or evenly spread."""
    return np.unique(np.linspace(0, n - 1, min(n, MOST)).astype(np.intp))


def plot_index(names: Sequence[str], values: Array, title: str, n_named: int) -> "Figure":
    """Draw one stem a unit, the largest with their names.

    Parameters
    ----------
    names, values : (J,) of the units, NaN where there is none. title : of the values.
    """
    from plotly.graph_objects import Figure

    figure, place, gap = Figure(), np.arange(len(values)), np.full(len(values), np.nan)
    x, y = np.column_stack([place, place, gap]).ravel(), np.column_stack([0 * values, values, gap]).ravel()
    figure.add_scatter(x=x, y=y, mode="lines", line={"color": NEUTRAL, "width": 1}, hoverinfo="skip")
    largest = np.argsort(np.nan_to_num(-values))[:n_named]
    text = [inline(name) if i in set(largest.tolist()) else "" for i, name in enumerate(names)]
    figure.add_scatter(
        x=place,
        y=values,
        mode="markers+text",
        marker={"color": LIKELIHOOD, "size": 6},
        text=text,
        textposition="top center",
        cliponaxis=False,
        hovertext=[inline(name) for name in names],
        hovertemplate="%{hovertext}: %{y:.4g}<extra></extra>",
    )
    figure.update_xaxes(**axis(showticklabels=False, title_text="unit"))
    figure.update_yaxes(**axis(title_text=inline(title), rangemode="tozero"))
    return finish(figure, PANEL + 30, legend=False, top=30)

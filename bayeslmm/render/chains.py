"""Draws as they came: densities and traces by chain, and data that they would make."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from bayeslmm.markup import bold, inline
from bayeslmm.render.kde import density
from bayeslmm.render.style import INK, NEUTRAL, POSTERIOR, axis, faded, finish
from bayeslmm.spec.labels import kind_of

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

type Array = NDArray[np.float64]

ROW, PPC = 150.0, 360.0  # pixels
MOST = 1_000  # points of a chain's trace
BOUNDS = {"sd": (0.0, np.inf), "sigma": (0.0, np.inf), "cor": (-1.0, 1.0)}


@dataclass(frozen=True, slots=True, eq=False)
class Trace:
    """One quantity's draws.

    Attributes
    ----------
    label : of it. draws : (chains, draws).
    """

    label: str
    draws: Array


def plot_traces(traces: Sequence[Trace]) -> "Figure":
    """Draw a row a quantity: density of each chain, and its draws in turn."""
    from plotly.subplots import make_subplots

    titles = [text for trace in traces for text in (bold(trace.label), "")]
    figure = make_subplots(
        rows=len(traces),
        cols=2,
        subplot_titles=titles,
        column_widths=[0.35, 0.65],
        vertical_spacing=0.3 / len(traces),
        horizontal_spacing=0.06,
    )
    for row, trace in enumerate(traces, start=1):
        _draw(figure, trace, row)
    figure.update_xaxes(**axis(nticks=6))
    figure.update_yaxes(**axis(nticks=4))
    figure.update_yaxes(visible=False, rangemode="tozero", col=1)
    figure.update_annotations(font_size=12)
    return finish(figure, ROW * len(traces) + 60, legend=False, top=32)


def _draw(figure: "Figure", trace: Trace, row: int) -> None:
    shades = np.linspace(1.0, 0.45, len(trace.draws))
    for number, (chain, shade) in enumerate(zip(trace.draws, shades, strict=True), start=1):
        name, line = f"chain {number}", {"color": faded(POSTERIOR, float(shade)), "width": 1.2}
        if np.ptp(chain) > 0:
            x, y = density(chain, *BOUNDS.get(kind_of(trace.label), (-np.inf, np.inf)))
            figure.add_scatter(x=x, y=y, mode="lines", line=line, name=name, row=row, col=1)
        kept = np.unique(np.linspace(0, len(chain) - 1, min(len(chain), MOST)).astype(np.intp))
        thin = line | {"width": 0.6}
        figure.add_scatter(x=kept, y=chain[kept], mode="lines", line=thin, name=name, row=row, col=2)


def plot_ppc(response: str, observed: Array, replicates: Array) -> "Figure":
    """Draw the density of the data over those of replicated data sets.

    Parameters
    ----------
    response : what it is called. observed : (n,). replicates : (m, n).
    """
    from plotly.graph_objects import Figure

    figure = Figure()
    for number, values in enumerate(replicates):
        x, y = density(values)
        line = {"color": faded(POSTERIOR, 0.15), "width": 1}
        own = {"legendgroup": "replicated", "showlegend": number == 0, "hoverinfo": "skip"}
        figure.add_scatter(x=x, y=y, mode="lines", line=line, name="replicated", **own)
    x, y = density(observed)
    figure.add_scatter(x=x, y=y, mode="lines", line={"color": INK, "width": 2.5}, name="observed")
    figure.update_xaxes(**axis(title_text=inline(response)))
    figure.update_yaxes(**axis(visible=False, rangemode="tozero"))
    return finish(figure, PPC)


def plot_repeats(repeats: Array) -> "Figure":
    """Draw how often proposals are repeated, which is what importance weights become in a chain.

    Parameters
    ----------
    repeats : (m,) of every proposal that was kept.
    """
    from plotly.graph_objects import Figure

    values, counts = np.unique(repeats, return_counts=True)
    figure = Figure()
    figure.add_bar(x=values, y=counts / counts.sum(), marker={"color": faded(POSTERIOR, 0.7)}, width=0.6)
    figure.add_vline(x=float(repeats.mean()), line={"color": NEUTRAL, "dash": "dash", "width": 1})
    figure.update_xaxes(**axis(title_text="times in a row that a proposal stays"))
    figure.update_yaxes(**axis(title_text="share of proposals", rangemode="tozero"))
    return finish(figure, PPC - 60, legend=False)

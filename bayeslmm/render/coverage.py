"""Coverage of intervals beside their widths: one row an estimand and method."""

from collections.abc import Sequence
from math import nan
from typing import TYPE_CHECKING, Any, NamedTuple

from bayeslmm.markup import inline
from bayeslmm.render.style import INK, LIKELIHOOD, POSTERIOR, axis, finish

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

ROW = 22.0  # pixels


class CoverageRow(NamedTuple):
    """One row: `mcse` is coverage's Monte Carlo error, width the median, NaN without limits."""

    label: str
    method: str
    paradigm: str
    coverage: float
    mcse: float
    width: float


def plot_coverage(rows: Sequence[CoverageRow], prob: float) -> "Figure":
    """Draw coverage with twice its Monte Carlo error, and widths over the narrowest of each estimand.

    Parameters
    ----------
    rows : estimand by estimand. prob : nominal probability.
    """
    from plotly.subplots import make_subplots

    narrowest = {label: _narrowest(rows, label) for label in {row.label for row in rows}}
    figure = make_subplots(
        rows=1, cols=2, shared_yaxes=True, column_widths=[0.6, 0.4], horizontal_spacing=0.03
    )
    for paradigm, colour in (("likelihood", LIKELIHOOD), ("posterior", POSTERIOR)):
        own = [row for row in rows if row.paradigm == paradigm]
        places = [[inline(row.label) for row in own], [inline(row.method) for row in own]]
        ratios = [row.width / narrowest[row.label] for row in own]
        look = {"mode": "markers", "marker": {"color": colour, "size": 8}, "name": paradigm}
        errors: dict[str, Any] = {"type": "data", "thickness": 1.5, "width": 0, "symmetric": False}
        errors["array"] = [min(2 * row.mcse, 1 - row.coverage) for row in own]
        errors["arrayminus"] = [min(2 * row.mcse, row.coverage) for row in own]
        figure.add_scatter(x=[row.coverage for row in own], y=places, error_x=errors, **look, row=1, col=1)
        figure.add_scatter(x=ratios, y=places, **look, showlegend=False, row=1, col=2)
    figure.add_vline(x=prob, line={"color": INK, "width": 1, "dash": "dot"}, row=1, col=1)
    figure.update_xaxes(**axis(title={"text": "coverage"}, tickformat=".0%"), row=1, col=1)
    figure.update_xaxes(**axis(title={"text": "median width,<br>to the narrowest"}), row=1, col=2)
    figure.update_yaxes(**axis(autorange="reversed"))
    return finish(figure, 110 + ROW * len(rows))


def _narrowest(rows: Sequence[CoverageRow], label: str) -> float:
    """Width of one estimand's narrowest intervals; NaN where none has limits."""
    return min((row.width for row in rows if row.label == label and row.width == row.width), default=nan)

"""The forest plot: every estimand a row with its own scale, both paradigms in it."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite
from typing import TYPE_CHECKING

from bayeslmm.estimands.table import EstimateTable
from bayeslmm.markup import bold, inline
from bayeslmm.render import style
from bayeslmm.render.numbers import percent, significant
from bayeslmm.spec.labels import KINDS, PARAMETERS

if TYPE_CHECKING:
    from plotly.graph_objects import Figure, Scatter

ROW = 100  # pixels


@dataclass(frozen=True, slots=True)
class Line:
    """One interval of a row: where it comes from and how it is drawn."""

    name: str
    colour: str
    symbol: str
    dash: str


def plot_forest(
    tables: Sequence[EstimateTable],
    kinds: Sequence[str] = PARAMETERS,
    unit: str = "",
    legend: bool = True,
) -> "Figure":
    """Draw point and interval of every estimand, one line a table.

    Parameters
    ----------
    tables : sequence of EstimateTable
        Likelihood tables show their estimate, posterior tables mean (marker) and median (tick).
    kinds : sequence of str
        Kinds to show, in the package's order.
    unit : str
        What the response is measured in or called; named under the last row.
    legend : bool
        Whether the figure explains its marks itself.

    Returns
    -------
    plotly.graph_objects.Figure
        One row an estimand, each with its own scale.
    """
    from plotly.subplots import make_subplots

    labels = _labels(tables, kinds)
    height = ROW * max(len(labels), 1)
    figure = make_subplots(rows=max(len(labels), 1), cols=1, vertical_spacing=_gap(len(labels)))
    for row, label in enumerate(labels, start=1):
        _draw_row(figure, row, label, tables)
    _name_unit(figure, unit, len(labels))
    return style.finish(figure, height + 40 + 34 * legend, legend)


def _labels(tables: Sequence[EstimateTable], kinds: Sequence[str]) -> list[str]:
    wanted = [kind for kind in KINDS if kind in kinds]
    ordered = [label for kind in wanted for table in tables for label in table.select(kind).labels]
    return list(dict.fromkeys(ordered))


def _gap(rows: int) -> float:
    return min(0.5 / rows, 1 / (rows - 1)) if rows > 1 else 0.0


def _draw_row(figure: "Figure", row: int, label: str, tables: Sequence[EstimateTable]) -> None:
    shown = [table for table in tables if label in table]
    for place, table in enumerate(shown):
        for trace in _interval(table, label, -place, legend=row == 1):
            figure.add_trace(trace, row=row, col=1)
    figure.update_yaxes(visible=False, range=[0.7 - len(shown), 0.6], fixedrange=True, row=row, col=1)
    ends = _range(shown, label)
    figure.update_xaxes(**style.axis(nticks=6, range=ends), row=row, col=1)
    if ends and ends[0] <= 0 <= ends[1]:
        figure.add_vline(x=0, line=style.ZERO, row=row, col=1)
    figure.add_annotation(
        text=bold(label),
        x=0,
        xref="x domain",
        xanchor="left",
        y=1,
        yref="y domain",
        yanchor="bottom",
        showarrow=False,
        row=row,
        col=1,
    )


def _range(tables: Sequence[EstimateTable], label: str) -> list[float] | None:
    """Ends of the row's scale: all intervals and points, and some air; None leaves it to the plot."""
    columns = ("estimate", "mean", "lower", "upper")
    values = [row[name] for table in tables for row in [table.row(label)] for name in columns if name in row]
    finite = [value for value in values if isfinite(value)]
    air = 0.06 * (max(finite) - min(finite)) if finite else 0.0
    return [min(finite) - air, max(finite) + air] if air else None


def line_of(table: EstimateTable) -> Line:
    """How a table's intervals are drawn, and what the legend calls them."""
    interval = f"{percent(table.prob)} {table.interval}"
    if table.is_posterior:
        return Line(f"Posterior mean, {interval}", style.POSTERIOR, "diamond", "solid")
    if table.source == "bootstrap":
        return Line(f"Bootstrap, {interval}", style.LIKELIHOOD, "circle-open", "dot")
    return Line(f"{table.source}, {interval}", style.LIKELIHOOD, "circle", "solid")


def _interval(table: EstimateTable, label: str, height: float, legend: bool) -> "list[Scatter]":
    from plotly.graph_objects import Scatter

    row, line = table.row(label), line_of(table)
    point = row["mean"] if table.is_posterior else row["estimate"]
    ends = f"{significant(row['lower'], 4)}, {significant(row['upper'], 4)}"
    text = f"{line.name}<br>{significant(point, 4)} [{ends}]"
    common = {"legendgroup": line.name, "hoverinfo": "text", "text": text, "name": line.name}
    bar = Scatter(
        x=[row["lower"], row["upper"]],
        y=[height, height],
        mode="lines",
        line={"color": line.colour, "width": 3, "dash": line.dash},
        showlegend=False,
        **common,
    )
    marker = {
        "symbol": line.symbol,
        "size": 10,
        "color": line.colour,
        "line": {"color": line.colour, "width": 2},
    }
    dot = Scatter(x=[point], y=[height], mode="markers", marker=marker, showlegend=legend, **common)
    median = [_median_tick(row["median"], height, line)] if table.is_posterior else []
    return [bar, *median, dot]


def _median_tick(median: float, height: float, line: Line) -> "Scatter":
    from plotly.graph_objects import Scatter

    marker = {"symbol": "line-ns", "size": 16, "line": {"color": line.colour, "width": 2}}
    text = f"Posterior median {significant(median, 4)}"
    return Scatter(
        x=[median], y=[height], mode="markers", marker=marker, text=text, hoverinfo="text", showlegend=False
    )


def _name_unit(figure: "Figure", unit: str, rows: int) -> None:
    if unit and rows:
        figure.update_xaxes(title_text=inline(unit), row=rows, col=1)

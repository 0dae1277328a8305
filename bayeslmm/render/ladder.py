"""The ladder of location as a waterfall: a row a rung, a bar from the rung before to this one."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite
from typing import TYPE_CHECKING

from bayeslmm.markup import bold
from bayeslmm.render import style
from bayeslmm.render.numbers import rounded, signed

if TYPE_CHECKING:
    from plotly.graph_objects import Figure, Scatter

ROW, LINE = 46, 26  # pixels of a row, of the title
LONGEST = 60  # characters of a reason that are shown


@dataclass(frozen=True, slots=True)
class RungMark:
    """One rung of one estimand.

    Attributes
    ----------
    rung, cause, reason : its name, the cause of the step to it, why it has no value.
    value, step, step_over_scale : where it is, how far from the rung before, in sds; NaN where there is none.
    colour : of bar and mark.
    """

    rung: str
    cause: str
    reason: str
    value: float
    step: float
    step_over_scale: float
    colour: str


def plot_ladder(label: str, marks: Sequence[RungMark], scale: float, unit: str = "") -> "Figure":
    """Draw one estimand's way from the estimate to the posterior mean, from top to bottom.

    Parameters
    ----------
    label : of the estimand. marks : its rungs in order. scale : what a step's size is compared with.
    unit : what the response is measured in or called.
    """
    from plotly.graph_objects import Figure

    figure, before = Figure(), 0
    for place, mark in enumerate(marks):
        for trace in _traces(mark, -place, before, scale):
            figure.add_trace(trace)
        _annotate(figure, mark, -place)
        before = -place if isfinite(mark.value) else before
    _axes(figure, marks, label, unit)
    return style.finish(figure, ROW * len(marks) + LINE + 70, legend=False, top=LINE + 16)


def _traces(mark: RungMark, height: int, before: int, scale: float) -> "list[Scatter]":
    """The mark of a rung, a bar from the last value and a line down from where that was drawn."""
    from plotly.graph_objects import Scatter

    if not isfinite(mark.value):
        return []
    told = f"{mark.rung}: {rounded(mark.value, scale)}<br>{mark.cause} {signed(mark.step_over_scale)} sd"
    common = {"hoverinfo": "text", "text": told, "showlegend": False}
    dot = {"size": 10, "color": mark.colour}
    drawn = [Scatter(x=[mark.value], y=[height], mode="markers", marker=dot, **common)]
    if isfinite(mark.step):
        last = mark.value - mark.step
        bar = {"color": mark.colour, "width": 9}
        drop = {"color": style.NEUTRAL, "width": 1, "dash": "dot"}
        drawn += [
            Scatter(x=[last, mark.value], y=[height, height], mode="lines", line=bar, **common),
            Scatter(x=[last, last], y=[height, before], mode="lines", line=drop, **common),
        ]
    return drawn


def _annotate(figure: "Figure", mark: RungMark, height: int) -> None:
    """The size of a step beyond its end, or why there is no value."""
    if isfinite(mark.value):
        side = ("right", -10) if mark.step < 0 else ("left", 10)
        text = f"{signed(mark.step_over_scale)} sd" if isfinite(mark.step_over_scale) else ""
        place = {"x": mark.value, "xanchor": side[0], "xshift": side[1]}
    else:
        cut = mark.reason if len(mark.reason) <= LONGEST else f"{mark.reason[: LONGEST - 1]}…"
        text, place = f"<i>{cut}</i>", {"x": 0.5, "xref": "x domain", "xanchor": "center"}
    if text:
        figure.add_annotation(y=height, text=text, showarrow=False, font={"size": 12}, **place)


def _axes(figure: "Figure", marks: Sequence[RungMark], label: str, unit: str) -> None:
    values = [each.value for each in marks if isfinite(each.value)]
    air = 0.18 * (max(values) - min(values)) or 0.1 * abs(values[0]) or 1.0 if values else 1.0
    ends = [min(values) - air, max(values) + air] if values else [0.0, 1.0]
    figure.update_xaxes(**style.axis(nticks=6, range=ends, title_text=unit or None))
    figure.update_yaxes(
        **style.axis(
            tickvals=[-place for place in range(len(marks))],
            ticktext=[mark.rung for mark in marks],
            range=[0.6 - len(marks), 0.6],
            showgrid=False,
        )
    )
    title = {"text": bold(label), "x": 0, "xref": "x domain", "xanchor": "left", "y": 1, "yref": "y domain"}
    figure.add_annotation(**title, yanchor="bottom", yshift=6, showarrow=False)

"""The ladder of location as a waterfall: a row a rung, a bar from the rung before to this one."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite
from textwrap import wrap
from typing import TYPE_CHECKING

from bayeslmm.markup import bold, inline
from bayeslmm.render import style
from bayeslmm.render.numbers import rounded, signed

if TYPE_CHECKING:
    from plotly.graph_objects import Figure, Scatter

ROW, LINE, MARGIN = 46, 18, 76  # pixels of a row, of a line of the title, of what stands right of the rows
OF_REASON, OF_TITLE = 30, 42  # characters of a line of a reason, of the title


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
    _axes(figure, marks, unit)
    lines = wrap(label, OF_TITLE, break_long_words=False)
    top = LINE * len(lines) + 16
    style.finish(figure, ROW * len(marks) + top + 54, legend=False, top=top)
    _name(figure, lines)
    return figure


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
    """The size of a step in the right margin, or why there is no value."""
    if isfinite(mark.value):
        text = f"{signed(mark.step_over_scale)} sd" if isfinite(mark.step_over_scale) else ""
        place = {"x": 1, "xref": "paper", "xanchor": "left", "xshift": 6}
    else:
        lines = wrap(mark.reason, OF_REASON, max_lines=2, placeholder="…")
        text = "<br>".join(f"<i>{inline(line)}</i>" for line in lines)
        place = {"x": 0.5, "xref": "x domain", "xanchor": "center"}
    if text:
        figure.add_annotation(y=height, text=text, showarrow=False, font={"size": 12}, **place)


def _axes(figure: "Figure", marks: Sequence[RungMark], unit: str) -> None:
    values = [each.value for each in marks if isfinite(each.value)]
    air = 0.06 * (max(values) - min(values)) or 0.1 * abs(values[0]) or 1.0 if values else 1.0
    ends = [min(values) - air, max(values) + air] if values else [0.0, 1.0]
    if ends[0] <= 0 <= ends[1]:
        figure.add_vline(x=0, line=style.ZERO)
    figure.update_xaxes(**style.axis(nticks=5, range=ends, title_text=inline(unit) or None))
    figure.update_yaxes(
        **style.axis(
            tickvals=[-place for place in range(len(marks))],
            ticktext=[mark.rung for mark in marks],
            range=[0.6 - len(marks), 0.6],
            showgrid=False,
        )
    )


def _name(figure: "Figure", lines: Sequence[str]) -> None:
    """The label above all, from the left edge."""
    text = "<br>".join(map(bold, lines))
    place = {
        "x": 0,
        "xref": "container",
        "y": 1,
        "yref": "container",
        "yanchor": "top",
        "pad": {"t": 6, "l": 12},
    }
    figure.update_layout(title={"text": text, "font": {"size": 13}, **place}, margin_r=MARGIN)

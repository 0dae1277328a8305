"""The caterpillar plot: random effects of each coef in order of size, with their intervals."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from bayeslmm.errors import DataError
from bayeslmm.estimands.table import EstimateTable
from bayeslmm.markup import bold, inline
from bayeslmm.render.style import LIKELIHOOD, NEUTRAL, POSTERIOR, axis, faded, finish
from bayeslmm.spec.design import Design
from bayeslmm.spec.labels import ranef_labels

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

type Array = NDArray[np.float64]

ROW, LEAST, MOST = 15.0, 260.0, 900.0  # pixels
NAMED = 60  # levels up to which their names stand beside them


@dataclass(frozen=True, slots=True, eq=False)
class EffectsPanel:
    """The J random effects of one coef of a group.

    Attributes
    ----------
    title : e.g. ``"Subject: Days"``. levels : (J,) names. centre, lower, upper : (J,).
    colour : of the engine.
    """

    title: str
    levels: tuple[str, ...]
    centre: Array
    lower: Array
    upper: Array
    colour: str

    @property
    def ordered(self) -> "EffectsPanel":
        """By size."""
        order = np.argsort(self.centre, kind="stable")
        levels = tuple(self.levels[place] for place in order)
        parts = (self.centre[order], self.lower[order], self.upper[order])
        return EffectsPanel(self.title, levels, *parts, self.colour)


def effect_panels(design: Design, table: EstimateTable) -> Iterator[EffectsPanel]:
    """One panel a coef of a group.

    Parameters
    ----------
    table : estimates of either engine, random effects among them.
    """
    columns = ["mean" if table.is_posterior else "estimate", "lower", "upper"]
    found = table.frame.loc[list(ranef_labels(design)), columns].to_numpy(dtype=float)
    colour, first = POSTERIOR if table.is_posterior else LIKELIHOOD, 0
    for block in design.blocks:
        own = found[first : first + block.q].reshape(block.n_levels, block.k, 3)
        for number, coef in enumerate(block.coefs):
            title, levels = f"{block.group}: {coef}", tuple(map(str, block.levels))
            centre, lower, upper = own[:, number].T
            yield EffectsPanel(title, levels, centre, lower, upper, colour)
        first += block.q


def plot_caterpillar(panels: Iterator[EffectsPanel] | Sequence[EffectsPanel]) -> "Figure":
    """Draw panels side by side, each in its own order.

    Raises
    ------
    DataError
        When there are no random effects.
    """
    from plotly.subplots import make_subplots

    shown = [panel.ordered for panel in panels]
    if not shown:
        raise DataError("the model has no random effects to draw; add a bar to its formula, (1 | group)")
    titles = [bold(panel.title) for panel in shown]
    figure = make_subplots(
        rows=1, cols=len(shown), subplot_titles=titles, horizontal_spacing=0.25 / len(shown)
    )
    for number, panel in enumerate(shown, start=1):
        _draw(figure, panel, {"row": 1, "col": number})
    figure.update_annotations(font_size=13)
    tallest = ROW * max(len(panel.levels) for panel in shown)
    return finish(figure, min(max(LEAST, tallest), MOST) + 80, legend=False, top=34)


def _draw(figure: "Figure", panel: EffectsPanel, where: dict[str, int]) -> None:
    place = np.arange(len(panel.levels))
    few = len(place) <= NAMED
    bars = {
        "type": "data",
        "symmetric": False,
        "array": panel.upper - panel.centre,
        "arrayminus": panel.centre - panel.lower,
        "color": faded(panel.colour, 0.45),
        "thickness": 1.5,
        "width": 0,
    }
    names = [inline(level) for level in panel.levels]
    figure.add_scatter(
        x=panel.centre,
        y=place,
        error_x=bars,
        mode="markers",
        marker={"color": panel.colour, "size": 6 if few else 3},
        text=names,
        hovertemplate="%{text}: %{x:.4g}<extra></extra>",
        **where,
    )
    figure.add_vline(x=0, line={"color": NEUTRAL, "width": 1, "dash": "dash"}, **where)
    ticks = {"tickvals": place, "ticktext": names} if few else {"showticklabels": False}
    figure.update_yaxes(**axis(showgrid=False, tickfont={"size": 10}, **ticks), **where)
    figure.update_xaxes(**axis(nticks=5), **where)

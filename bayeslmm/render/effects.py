"""The mean over one variable, with its interval, and the data behind."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from bayeslmm.errors import DataError, check_choice
from bayeslmm.estimands.table import EstimateTable
from bayeslmm.markup import inline
from bayeslmm.render.style import INK, LIKELIHOOD, POSTERIOR, axis, faded, finish
from bayeslmm.spec.design import Design
from bayeslmm.spec.recipe import Recipe

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

type Array = NDArray[np.float64]

HEIGHT = 380.0  # pixels
POINTS = 41  # of a line
MOST = 10_000  # observations that are drawn
JITTER = 0.12  # of the distance between levels


@dataclass(frozen=True, slots=True, eq=False)
class Shown:
    """A variable and the response, as observed, and where the mean is drawn.

    Attributes
    ----------
    variable, response : names. x, y : (n,) observed; of a factor x are codes.
    places : (m,) where the mean is drawn. levels : names of a factor's codes, none for a number.
    """

    variable: str
    response: str
    x: Array
    y: Array
    places: Array
    levels: tuple[str, ...]

    @property
    def at(self) -> dict[str, list[Any]]:
        """The places as users name them; of a factor all levels."""
        return {} if self.levels else {self.variable: self.places.tolist()}


def grid_of(design: Design, recipe: Recipe | None, variable: str) -> Shown:
    """What is drawn of a variable.

    Raises
    ------
    DataError
        When there is no formula, or its rows are elsewhere.
    OptionError
        For a name that isn't a variable of the fixed part.
    """
    if recipe is None or not design.in_memory:
        raise DataError("effects need a formula and its rows in memory: fit a model of a table")
    check_choice("variable of the fixed part", variable, recipe.fixed_variables)
    x = np.asarray(recipe.fitted[variable], dtype=float)
    if variable in recipe.codings:
        levels = tuple(map(str, recipe.codings[variable].levels))
        return Shown(variable, design.response, x, design.y, np.arange(len(levels), dtype=float), levels)
    own = np.unique(x)
    whole = len(own) <= 2 or variable in recipe.levelled
    places = own if whole else np.linspace(x.min(), x.max(), POINTS)
    return Shown(variable, design.response, x, design.y, places, ())


def plot_effects(shown: Shown, means: EstimateTable) -> "Figure":
    """Draw the mean with its interval over the observations; levels of a factor are points with bars.

    Parameters
    ----------
    means : at every place, of either engine.
    """
    from plotly.graph_objects import Figure

    colour = POSTERIOR if means.is_posterior else LIKELIHOOD
    figure = Figure()
    _observations(figure, shown)
    centre, lower, upper = (
        means.frame[name].to_numpy(dtype=float)
        for name in ("mean" if means.is_posterior else "estimate", "lower", "upper")
    )
    (_points if shown.levels else _line)(figure, shown.places, centre, lower, upper, colour)
    ticks = (
        {"tickvals": shown.places, "ticktext": [inline(each) for each in shown.levels]}
        if shown.levels
        else {}
    )
    figure.update_xaxes(**axis(title_text=inline(shown.variable), **ticks))
    figure.update_yaxes(**axis(title_text=inline(shown.response)))
    return finish(figure, HEIGHT, legend=False)


def _observations(figure: "Figure", shown: Shown) -> None:
    kept = np.unique(np.linspace(0, len(shown.x) - 1, min(len(shown.x), MOST)).astype(np.intp))
    spread = np.random.default_rng(0).uniform(-JITTER, JITTER, len(kept)) if shown.levels else 0.0
    marker = {"color": faded(INK, 0.35), "size": 4, "symbol": "circle-open"}
    hover = "%{y:.4g}<extra></extra>"
    figure.add_scatter(
        x=shown.x[kept] + spread, y=shown.y[kept], mode="markers", marker=marker, hovertemplate=hover
    )


def _line(figure: "Figure", x: Array, centre: Array, lower: Array, upper: Array, colour: str) -> None:
    around, band = np.concatenate([x, x[::-1]]), np.concatenate([upper, lower[::-1]])
    fill = {"fill": "toself", "fillcolor": faded(colour, 0.18), "line": {"width": 0}}
    figure.add_scatter(x=around, y=band, mode="lines", hoverinfo="skip", **fill)
    line = {"color": colour, "width": 2.5}
    figure.add_scatter(
        x=x, y=centre, mode="lines", line=line, hovertemplate="%{x:.4g}: %{y:.4g}<extra></extra>"
    )


def _points(figure: "Figure", x: Array, centre: Array, lower: Array, upper: Array, colour: str) -> None:
    bars = {"type": "data", "symmetric": False, "array": upper - centre, "arrayminus": centre - lower}
    bars |= {"color": colour, "thickness": 2.5, "width": 0}
    marker = {"color": colour, "size": 10}
    hover = "%{y:.4g}<extra></extra>"
    figure.add_scatter(x=x, y=centre, error_y=bars, mode="markers", marker=marker, hovertemplate=hover)

"""One look for every plot: two paradigms, two colours that colour-blind readers tell apart."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

# Vermilion and blue of Okabe and Ito's palette, the first a little darker for contrast on white.
LIKELIHOOD = "#C4500C"
POSTERIOR = "#0067A8"
NEUTRAL = "#8A8F98"
INK = "#1F2328"
RULE = "#E4E7EB"
ZERO = {"color": NEUTRAL, "width": 1, "dash": "dash"}  # a line where nothing is
FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif"

KIND_TITLES = {
    "beta": "Fixed effects",
    "sd": "Standard deviations",
    "cor": "Correlations",
    "phi": "Correlation parameters of the residual",
    "delta": "Parameters of the residual's variance",
    "nugget": "Nugget of the residual",
    "sigma": "Residual standard deviation",
    "ranef": "Random effects",
}


def faded(colour: str, alpha: float) -> str:
    """Give a hexadecimal colour some transparency."""
    red, green, blue = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
    return f"rgba({red}, {green}, {blue}, {alpha:g})"


def axis(**options: Any) -> dict[str, Any]:
    """Options of a quiet axis: no box, pale grid, fixed range so that a phone scrolls past it."""
    quiet = {
        "showline": False,
        "zeroline": False,
        "gridcolor": RULE,
        "fixedrange": True,
        "automargin": True,
        "ticks": "",
    }
    return quiet | options


def finish(figure: "Figure", height: float, legend: bool = True, top: int = 16) -> "Figure":
    """Put on the shared layout."""
    figure.update_layout(
        template="none",
        height=height,
        autosize=True,
        margin={"l": 12, "r": 16, "t": top + (34 if legend else 0), "b": 40},
        font={"family": FONT, "size": 13, "color": INK},
        paper_bgcolor="white",
        plot_bgcolor="white",
        showlegend=legend,
        legend={"orientation": "h", "x": 0, "y": 1, "yanchor": "top", "yref": "container"},
        hoverlabel={"font": {"family": FONT}, "bgcolor": "white"},
        dragmode=False,
    )
    return figure

"""The report's figures: small single plots that the page arranges by its width."""

import json
from typing import TYPE_CHECKING, Any

from bayeslmm.parity.comparison import Comparison
from bayeslmm.parity.panels import density_panels, shrinkage_panels
from bayeslmm.render import style
from bayeslmm.render.densities import plot_densities
from bayeslmm.render.forest import line_of, plot_forest
from bayeslmm.render.shrinkage import plot_shrinkage

if TYPE_CHECKING:
    from plotly.graph_objects import Figure


type Plot = tuple[str, str, "Figure"]  # description, caption, figure

KINDS = ("beta", "sd", "cor", "sigma")


def figures_of(parity: Comparison) -> dict[str, Any]:
    """Give the figures as JSON, the library that draws them, and how the page arranges them."""
    from markupsafe import Markup
    from plotly.offline import get_plotlyjs

    groups = {
        "forest": (_forest(parity), _forest_key(parity), "half"),
        "densities": (_densities(parity), _density_key(parity), "grid"),
        "shrinkage": (_shrinkage(parity), _shrinkage_key(), "half"),
    }
    figures: dict[str, Any] = {}
    context = {name: _group(name, *group, figures) for name, group in groups.items()}
    return {
        **context,
        "figures": Markup(json.dumps(figures).replace("<", "\\u003c")) if figures else "",
        "plotly": Markup(get_plotlyjs()) if figures else "",
    }


def _group(
    name: str, plots: list[Plot], key: list[dict[str, Any]], layout: str, figures: dict[str, Any]
) -> dict[str, Any]:
    shown = []
    for number, (description, caption, figure) in enumerate(plots):
        identifier = f"{name}-{number}"
        figures[identifier] = json.loads(figure.to_json())
        shown.append(
            {
                "id": identifier,
                "description": description,
                "caption": caption,
                "height": figure.layout.height,
            }
        )
    return {"plots": shown, "key": key, "layout": layout}


def _forest(parity: Comparison) -> list[Plot]:
    tables = [side.table for side in parity.sides.present()]
    kinds = [kind for kind in KINDS if any(len(table.select(kind)) for table in tables)]
    return [
        (
            f"Forest plot: {style.KIND_TITLES[kind]}, point and interval from every method.",
            _forest_caption(kind, parity.response),
            plot_forest(tables, (kind,), legend=False),
        )
        for kind in kinds
    ]


def _forest_caption(kind: str, response: str) -> str:
    unit = "" if kind == "cor" or not response else f", in units of {response}"
    per = " per unit of the coefficient's column" if kind in ("beta", "sd") and unit else ""
    return f"{style.KIND_TITLES[kind]}{unit}{per}. Every row has its own scale."


def _densities(parity: Comparison) -> list[Plot]:
    panels = density_panels(parity.sides, parity.draws, parity.bootstrap_draws)
    return [
        (f"Posterior density of {panel.label}, with estimate and bootstrap distribution.", "", _one(panel))
        for panel in panels
    ]


def _one(panel: Any) -> "Figure":
    return plot_densities([panel], columns=1, legend=False)


def _shrinkage(parity: Comparison) -> list[Plot]:
    return [
        (
            f"Posterior means over BLUPs of {panel.title}, {len(panel.levels)} levels.",
            "",
            plot_shrinkage([panel], columns=1, legend=False),
        )
        for panel in shrinkage_panels(parity.sides)
    ]


def _forest_key(parity: Comparison) -> list[dict[str, Any]]:
    marks = []
    for side in parity.sides.present():
        line = line_of(side.table)
        shape = "diamond" if side.table.is_posterior else "ring" if line.dash == "dot" else "dot"
        marks.append(_mark(line.name, line.colour, line.dash, shape))
        if side.table.is_posterior:
            marks.append(_mark("Posterior median", line.colour, "none", "tick"))
    return marks


def _density_key(parity: Comparison) -> list[dict[str, Any]]:
    fit = parity.sides.fit
    bootstrap = (
        [] if parity.bootstrap_draws.empty else [("Bootstrap of the estimate", style.LIKELIHOOD, "dot")]
    )
    estimate = [(f"{fit.table.source} estimate", style.LIKELIHOOD, "solid")] if fit else []
    return [_mark(*mark, "none") for mark in [("Posterior", style.POSTERIOR, "solid"), *bootstrap, *estimate]]


def _shrinkage_key() -> list[dict[str, Any]]:
    return [
        _mark("Posterior mean over BLUP", style.POSTERIOR, "none", "diamond"),
        _mark("Interval of the BLUP", style.LIKELIHOOD, "solid", "none"),
        _mark("Interval of the posterior", style.POSTERIOR, "solid", "none"),
        _mark("No pooling", style.NEUTRAL, "none", "ring"),
    ]


SHAPES = {
    "dot": '<circle cx="15" cy="6" r="4.5" fill="{0}"/>',
    "ring": '<circle cx="15" cy="6" r="4" fill="white" stroke="{0}" stroke-width="2"/>',
    "diamond": '<path d="M15 1 L20 6 L15 11 L10 6 Z" fill="{0}"/>',
    "tick": '<path d="M15 0 V12" stroke="{0}" stroke-width="2"/>',
    "none": "",
}
LINES = {"solid": "", "dot": ' stroke-dasharray="3 3"'}


def _mark(name: str, colour: str, dash: str, shape: str) -> dict[str, Any]:
    from markupsafe import Markup

    line = f'<path d="M1 6 H29" stroke="{colour}" stroke-width="2"{LINES[dash]}/>' if dash in LINES else ""
    return {"name": name, "svg": Markup(line + SHAPES[shape].format(colour))}

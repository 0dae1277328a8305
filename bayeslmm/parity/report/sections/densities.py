"""Distributions of both paradigms."""

from collections.abc import Iterator

from bayeslmm.parity.comparison import Comparison
from bayeslmm.parity.panels import density_panels
from bayeslmm.parity.report.sections.base import ReportSection
from bayeslmm.parity.report.units import unit_of
from bayeslmm.render import style
from bayeslmm.render.densities import plot_densities
from bayeslmm.render.page.blocks import Block, Mark, Plot, Plots


class Densities(ReportSection):
    """Posterior densities with the estimate and its bootstrap distribution, a panel a parameter."""

    name = "densities"
    place = 50
    title = "Posterior and bootstrap distributions"
    short = "Distributions"

    def blocks(self, parity: Comparison) -> Iterator[Block]:
        panels = density_panels(parity.sides, parity.draws, parity.bootstrap_draws)
        plots = tuple(
            Plot(
                f"Posterior density of {panel.label}, with estimate and bootstrap distribution.",
                plot_densities([panel], columns=1, legend=False, unit=unit_of(panel.label, parity)),
            )
            for panel in panels
        )
        if plots:
            yield Plots(plots, tuple(_key(parity)), "grid")


def _key(parity: Comparison) -> Iterator[Mark]:
    yield Mark("Posterior", style.POSTERIOR, "solid", "none")
    if not parity.bootstrap_draws.empty:
        yield Mark("Bootstrap of the estimate", style.LIKELIHOOD, "dot", "none")
    if parity.sides.fit:
        yield Mark(f"{parity.sides.fit.table.source} estimate", style.LIKELIHOOD, "solid", "none")

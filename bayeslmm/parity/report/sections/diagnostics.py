"""Whether model and draws can be trusted: residuals, quantiles, predictive checks, traces."""

from collections.abc import Iterator
from typing import Any

from bayeslmm.parity.comparison import Comparison
from bayeslmm.parity.report.sections.base import ReportSection
from bayeslmm.render.page.blocks import Block, Plot, Plots

OF_FIT = {
    "plot_residuals": "Residuals over fitted values.",
    "plot_qq": "Quantiles of residuals and random effects over those of a normal distribution.",
}
OF_POSTERIOR = {
    "plot_ppc": "Data drawn from the posterior beside those observed.",
    "plot_trace": "The draws in order, or their weights.",
}


class Diagnostics(ReportSection):
    """The plots that the results themselves offer."""

    name = "diagnostics"
    place = 70
    title = "Diagnostics"
    short = "Diagnostics"

    def blocks(self, parity: Comparison) -> Iterator[Block]:
        of_sides = ((parity.sides.fit, OF_FIT), (parity.sides.posterior, OF_POSTERIOR))
        plots = [plot for side, verbs in of_sides if side for plot in _plots(side.result, verbs)]
        if plots:
            yield Plots(tuple(plots))


def _plots(result: Any, verbs: dict[str, str]) -> Iterator[Plot]:
    """Of what a result can draw; tables, and results of other packages, can't."""
    for verb, description in verbs.items():
        if draw := getattr(result, verb, None):
            yield Plot(description, draw(), description)

"""Whether model and draws can be trusted: residuals, quantiles, predictive checks, traces or weights."""

from collections.abc import Iterator, Mapping
from typing import Any

from bayeslmm.errors import BayesLMMError
from bayeslmm.parity.comparison import Comparison
from bayeslmm.parity.report.sections.base import ReportSection
from bayeslmm.parity.sides import Side
from bayeslmm.render.page.blocks import Block, Plot, Plots, Text

OF_FIT = {
    "plot_residuals": "Residuals over fitted values.",
    "plot_qq": "Quantiles of residuals and random effects over those of a normal distribution.",
}
REPLICATED = {"plot_ppc": "Data drawn from the posterior beside those observed."}
TRACE = {"plot_trace": "Density and trace of the draws, by chain."}
WEIGHTS = {"plot_weights": "How often a proposal is repeated, which is what its weight became."}


class Diagnostics(ReportSection):
    """The plots that the results themselves offer."""

    name = "diagnostics"
    place = 70
    title = "Diagnostics"
    short = "Diagnostics"

    def blocks(self, parity: Comparison) -> Iterator[Block]:
        yield from _drawn(parity.sides.fit, OF_FIT)
        weighted = (
            getattr(parity.sides.posterior and parity.sides.posterior.result, "method", "") == "importance"
        )
        yield from _drawn(parity.sides.posterior, REPLICATED | (WEIGHTS if weighted else TRACE))


def _drawn(side: Side | None, verbs: Mapping[str, str]) -> Iterator[Block]:
    """Of what a result can draw, tables and results of other packages nothing; or why it can't here."""
    own = {verb: said for verb, said in verbs.items() if side and hasattr(side.result, verb)}
    plots, reasons = [], []
    for verb, said in own.items():
        try:
            plots.append(Plot(said, _figure(side, verb), said))
        except BayesLMMError as error:
            reasons.append(Text(f"{said} Not drawn: {error}", "soft"))
    if plots:
        yield Plots(tuple(plots))
    yield from reasons


def _figure(side: Side | None, verb: str) -> Any:
    return getattr(side and side.result, verb)()

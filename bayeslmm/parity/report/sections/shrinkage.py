"""Random effects and their shrinkage."""

from collections.abc import Iterator

from bayeslmm.parity.comparison import Comparison
from bayeslmm.parity.panels import shrinkage_panels
from bayeslmm.parity.report.sections.base import ReportSection
from bayeslmm.render import style
from bayeslmm.render.page.blocks import Block, Mark, Plot, Plots, Text
from bayeslmm.render.shrinkage import plot_shrinkage

KEY = (
    Mark("Posterior mean over BLUP", style.POSTERIOR, "none", "diamond"),
    Mark("Interval of the BLUP", style.LIKELIHOOD, "solid", "none"),
    Mark("Interval of the posterior", style.POSTERIOR, "solid", "none"),
    Mark("No pooling", style.NEUTRAL, "none", "ring"),
)


class Shrinkage(ReportSection):
    """Posterior means over BLUPs, a panel a coef of a grouping factor."""

    name = "shrinkage"
    place = 60
    title = "Random effects and their shrinkage"
    short = "Random effects"

    def blocks(self, parity: Comparison) -> Iterator[Block]:
        panels = shrinkage_panels(parity.sides)
        if not panels:
            return
        yield Text(
            "Points on the line: best linear unbiased prediction and posterior mean agree. The vertical "
            "distance from a hollow point, the level's own least squares estimate, to the line is how far "
            "the model shrinks it.",
            "soft",
        )
        yield Plots(
            tuple(
                Plot(
                    f"Posterior means over BLUPs of {panel.title}, {len(panel.levels)} levels.",
                    plot_shrinkage([panel], columns=1, legend=False, unit=parity.response),
                )
                for panel in panels
            ),
            KEY,
        )

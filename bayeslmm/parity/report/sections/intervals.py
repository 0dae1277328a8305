"""Points and intervals of every method."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from bayeslmm.estimands.table import EstimateTable
from bayeslmm.parity.comparison import Comparison
from bayeslmm.parity.report.sections.base import ReportSection
from bayeslmm.parity.report.units import IN_UNITS, kind_unit
from bayeslmm.render import style
from bayeslmm.render.forest import line_of, plot_forest
from bayeslmm.render.page.blocks import Block, Mark, Plot, Plots
from bayeslmm.spec.labels import PARAMETERS

FITS, T = ("REML", "ML"), "t"


class Intervals(ReportSection):
    """Forest plots, a kind of parameter each."""

    name = "forest"
    place = 40
    title = "Both paradigms, interval by interval"
    short = "Intervals"

    def blocks(self, parity: Comparison) -> Iterator[Block]:
        tables = [_best(parity, side.table) for side in parity.sides.present()]
        kinds = [kind for kind in PARAMETERS if any(len(table.select(kind)) for table in tables)]
        plots = tuple(
            Plot(
                f"Forest plot: {style.KIND_TITLES[kind]}, point and interval from every method.",
                plot_forest(tables, (kind,), kind_unit(kind, parity.response), legend=False),
                _caption(kind, parity.response),
            )
            for kind in kinds
        )
        if plots:
            yield Plots(plots, tuple(_key(tables)))


def _best(parity: Comparison, table: EstimateTable) -> EstimateTable:
    """The same table with t intervals where the comparison has them."""
    rows = parity.table[parity.table["interval"] == T].set_index("label")
    if table.source not in FITS or rows.empty:
        return table
    frame = table.frame.copy()
    frame.loc[rows.index, ["lower", "upper"]] = rows[["lower", "upper"]]
    return replace(table, frame=frame, interval=f"{table.interval}, of fixed effects t")


def _caption(kind: str, response: str) -> str:
    unit = f", in units of {response}" if kind in IN_UNITS and response else ""
    per = " per unit of the coefficient's column" if kind in ("beta", "sd") and unit else ""
    return f"{style.KIND_TITLES[kind]}{unit}{per}. Every row has its own scale."


def _key(tables: Sequence[EstimateTable]) -> Iterator[Mark]:
    for table in tables:
        line = line_of(table)
        shape = "diamond" if table.is_posterior else "ring" if line.dash == "dot" else "dot"
        yield Mark(line.name, line.colour, line.dash, shape)
        if table.is_posterior:
            yield Mark("Posterior median", line.colour, "none", "tick")

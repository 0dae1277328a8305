"""Which interval to trust, where a calibration was asked for."""

from collections.abc import Iterator
from math import nan
from typing import Any

import pandas as pd

from bayeslmm.parity.comparison import Comparison
from bayeslmm.parity.report.cells import interval
from bayeslmm.parity.report.sections.base import ReportSection
from bayeslmm.render.numbers import percent, significant
from bayeslmm.render.page.blocks import Block, Cell, Facts, Folded, Table, Text

COLUMNS = ("Estimand", "Interval to trust", "Here", "Coverage", "Median width")
READING = (
    "Data were simulated for this design, and every method was asked for intervals: coverage is the share "
    "that held the truth, with its Monte Carlo error. Here: the trusted interval in the data at hand."
)
KINDS = {"bootstrap": "percentile"}  # a calibration's word for what intervals are listed by


class TrustSection(ReportSection):
    """The trusted interval of every parameter, and why."""

    name = "trust"
    place = 45
    title = "Which interval to trust for this design"
    short = "Trust"

    def blocks(self, parity: Comparison) -> Iterator[Block]:
        if parity.trust is None:
            return
        yield Text(READING, "soft")
        here = parity.intervals.set_index(["label", "method"])[["lower", "upper"]]
        rows = tuple(_row(str(label), row, here) for label, row in parity.trust.iterrows())
        yield Table("Which interval to trust", COLUMNS, rows)
        reasons = parity.trust["sentence"].items()
        yield Folded("Why", (Facts(tuple((str(k), text.removeprefix(f"{k}: ")) for k, text in reasons)),))


def _row(label: str, row: "pd.Series[Any]", here: pd.DataFrame) -> tuple[Cell, ...]:
    place = (label, KINDS.get(row["method"], row["method"]))
    lower, upper = here.loc[[place]].to_numpy(dtype=float)[0] if place in here.index else (nan, nan)
    return (
        Cell((label,)),
        Cell((row["method"] or "none",)),
        Cell((interval(lower, upper, upper - lower),)),
        Cell((f"{percent(row['coverage'])} ± {percent(row['coverage_mcse'])}",), value=row["coverage"]),
        Cell((significant(row["width"], 3),), value=row["width"]),
    )

"""Every method's interval, side by side."""

from collections.abc import Iterator
from typing import Any

import pandas as pd

from bayeslmm.parity.comparison import Comparison
from bayeslmm.parity.report.cells import interval, two_places
from bayeslmm.parity.report.sections.base import ReportSection
from bayeslmm.render.page.blocks import Block, Cell, Facts, Table, Text
from bayeslmm.spec.labels import kind_of


class EveryInterval(ReportSection):
    """`par.intervals` of the parameters, the profile's among them, and why a method has none."""

    name = "intervals"
    place = 45
    title = "Every method's interval"
    short = "Every interval"
    on_request = True

    def blocks(self, parity: Comparison) -> Iterator[Block]:
        frame = parity.intervals
        told = frame[(frame["label"] != "") & (frame["label"].map(kind_of) != "ranef")]
        order = pd.Index(parity.verdicts.parameters.index).get_indexer(pd.Index(told["label"]))
        told = told.assign(order=order).sort_values("order", kind="stable")
        scale = dict(zip(parity.modelled.study.estimands.labels, parity.modelled.study.scale, strict=True))
        yield Text(
            "Overlap (intersection over union) and width are against the likelihood's best interval: t for "
            "fixed effects, the profile's for variance parameters.",
            "soft",
        )
        columns = ("Estimand", "Method", "Side", "Interval", "Overlap", "Width")
        rows = tuple(_row(row, scale.get(row["label"], float("nan"))) for row in told.to_dict("records"))
        yield Table(
            "Intervals by method",
            columns,
            rows,
            tools=True,
        )
        if reasons := _reasons(frame):
            yield Facts(reasons)


def _row(row: dict[Any, Any], scale: float) -> tuple[Cell, ...]:
    return (
        Cell((str(row["label"]),)),
        Cell((str(row["method"]),)),
        Cell((str(row["side"]),)),
        Cell((interval(row["lower"], row["upper"], scale),)),
        two_places(row["overlap"]),
        two_places(row["width_ratio"]),
    )


def _reasons(frame: pd.DataFrame) -> tuple[tuple[str, str], ...]:
    missing = frame[frame["reason"] != ""]
    return tuple((str(row["method"]), str(row["reason"])) for row in missing.to_dict("records"))

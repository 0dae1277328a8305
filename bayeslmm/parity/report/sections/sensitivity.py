"""The posterior under other priors."""

from collections.abc import Iterator
from math import isfinite
from typing import Any

from bayeslmm.parity.comparison import Comparison
from bayeslmm.parity.report.cells import number
from bayeslmm.parity.report.sections.base import ReportSection
from bayeslmm.parity.sensitivity import AS_IS, sensitivity
from bayeslmm.render.numbers import fixed, rounded
from bayeslmm.render.page.blocks import Block, Cell, Facts, Table, Text


class Sensitivity(ReportSection):
    """`par.sensitivity()` of the parameters, a column a set of priors, those that move most first."""

    name = "sensitivity"
    place = 46
    title = "The posterior under other priors"
    short = "Other priors"
    on_request = True

    def blocks(self, parity: Comparison) -> Iterator[Block]:
        frame = sensitivity(parity.modelled.study)
        frame = frame[frame["label"].isin(parity.verdicts.parameters.index)]
        yield Text(
            "Posterior means (sds), and below how far each set of priors moves the mean, in units of the "
            "larger of standard error and posterior sd.",
            "soft",
        )
        sets = tuple(dict.fromkeys(map(str, frame["priors"])))
        moved = frame.groupby("label")["moved_over_scale"].apply(lambda each: each.abs().max())
        rows = {(str(row["label"]), str(row["priors"])): row for row in frame.to_dict("records")}
        told = tuple(
            (Cell((str(label),)), *(_cell(rows[str(label), name]) for name in sets))
            for label in moved.sort_values(ascending=False).index
        )
        yield Table("Sensitivity to priors", ("Estimand", *sets), told, tools=True)
        how = frame.drop_duplicates(["priors", "how"])
        yield Facts(tuple((str(row["priors"]), str(row["how"])) for row in how.to_dict("records")))


def _cell(row: dict[Any, Any]) -> Cell:
    """A mean with its sd, and how far it has moved."""
    mean, sd = float(row["mean"]), float(row["sd"])
    if not isfinite(mean):
        return number(mean, sd)
    told = f"{rounded(mean, sd)} ({rounded(sd, sd)})"
    if row["priors"] == AS_IS:
        return Cell((told,), value=mean)
    return Cell((told, f"{fixed(float(row['moved_over_scale']), 2)} sd"), value=mean)

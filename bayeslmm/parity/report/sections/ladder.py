"""The ladder: from the estimate to the posterior mean in steps."""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from bayeslmm.parity.comparison import Comparison
from bayeslmm.parity.ladder.ladder import Ladder
from bayeslmm.parity.panels import ladder_marks
from bayeslmm.parity.report.cells import number
from bayeslmm.parity.report.sections.base import ReportSection
from bayeslmm.parity.report.sections.verdicts import worst_first
from bayeslmm.parity.report.units import unit_of
from bayeslmm.render.ladder import plot_ladder
from bayeslmm.render.page.blocks import Block, Cell, Facts, Plot, Plots, Table, Text

MOST = 6  # waterfalls
SEEN = 0.05  # sds that an estimand must have gone for a waterfall to show anything


class LadderSection(ReportSection):
    """Every parameter at every rung, and the way of those that go farthest."""

    name = "ladder"
    place = 30
    title = "From the estimate to the posterior mean, step by step"
    short = "Ladder"

    def blocks(self, parity: Comparison) -> Iterator[Block]:
        ladder = parity.steps
        if ladder is None:
            return
        labels = [str(label) for label in worst_first(parity.verdicts.parameters).index]
        yield Text(
            "Steps of one estimand add up to the whole difference; all but the last rung are computed "
            "without draws. What a rung has no value for says why below the table.",
            "soft",
        )
        yield _table(ladder, labels)
        if reasons := _reasons(ladder.frame, labels):
            yield Facts(reasons)
        if plots := tuple(_waterfalls(parity, ladder, labels)):
            yield Plots(plots)


def _table(ladder: Ladder, labels: list[str]) -> Table:
    """Labels by rungs."""
    own = ladder.frame[ladder.frame["label"].isin(labels)]
    rungs = list(dict.fromkeys(own["rung"]))
    values = own.pivot_table(index="label", columns="rung", values="value", aggfunc="first", dropna=False)
    scale = dict(zip(ladder.study.estimands.labels, ladder.study.scale, strict=True))
    values = values.reindex(index=labels, columns=rungs)
    rows = tuple(
        (Cell((label,)), *(number(x, scale[label]) for x in row))
        for label, row in zip(labels, values.to_numpy(), strict=True)
    )
    return Table("Ladder of location", ("Estimand", *rungs), rows, tools=True)


def _reasons(frame: pd.DataFrame, labels: list[str]) -> tuple[tuple[str, str], ...]:
    """By rung, why it has no value; once where it is so for many estimands."""
    missing = frame[frame["label"].isin(labels) & frame["value"].isna() & (frame["reason"] != "")]
    found: dict[tuple[str, str], list[str]] = {}
    for rung, reason, label in zip(missing["rung"], missing["reason"], missing["label"], strict=True):
        found.setdefault((str(rung), str(reason)), []).append(str(label))
    return tuple(
        (rung, f"{reason} ({', '.join(own) if len(own) <= 3 else f'{len(own)} estimands'})")
        for (rung, reason), own in found.items()
    )


def _waterfalls(parity: Comparison, ladder: Ladder, labels: list[str]) -> Iterator[Plot]:
    sizes = parity.verdicts.frame["size"].abs()
    steps = ladder.frame["step_over_scale"].abs().groupby(ladder.frame["label"]).max()
    moved = [label for label in labels if np.fmax(sizes[label], steps[label]) > SEEN]
    for label in moved[:MOST]:
        figure = plot_ladder(label, *ladder_marks(ladder, label), unit=unit_of(label, parity))
        yield Plot(f"Waterfall of {label} from the estimate to the posterior mean, a row a rung.", figure)

"""What each side says of itself, Monte Carlo errors, and the priors."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from bayeslmm.parity.checks import likelihood_facts, posterior_facts
from bayeslmm.parity.comparison import Comparison
from bayeslmm.parity.report.sections.base import ReportSection
from bayeslmm.render.numbers import fixed, percent, significant
from bayeslmm.render.page.blocks import Block, Cell, Facts, Folded, Table, plain

COLUMNS = ("Estimand", "MCSE", "MCSE / sd", "ESS bulk", "ESS tail", "R-hat")


class Checks(ReportSection):
    """Facts about fit, bootstrap and draws."""

    name = "checks"
    place = 90
    title = "Checks of either side, and priors"
    short = "Checks"

    def blocks(self, parity: Comparison) -> Iterator[Block]:
        facts = (*likelihood_facts(parity.sides), *posterior_facts(parity.sides))
        if facts:
            yield Facts(facts)
        if rows := _sampling(parity):
            table = Table("Monte Carlo error by parameter", COLUMNS, rows)
            yield Folded("Monte Carlo error by parameter", (table,))
        if priors := _priors(parity):
            yield Folded("Priors, in the units of the data", (Facts(priors),))


def _sampling(parity: Comparison) -> tuple[tuple[Cell, ...], ...]:
    if parity.sides.posterior is None:
        return ()
    frame = parity.sides.posterior.table.frame
    return tuple(_row(str(label), row) for label, row in frame[frame["kind"] != "ranef"].iterrows())


def _row(label: str, row: Any) -> tuple[Cell, ...]:
    ess = [fixed(row[name], 0) if np.isfinite(row[name]) else "–" for name in ("ess_bulk", "ess_tail")]
    ratio = percent(row["mcse"] / row["sd"]) if row["sd"] > 0 else "–"
    return plain(label, significant(row["mcse"], 2), ratio, *ess, significant(row["r_hat"], 4))


def _priors(parity: Comparison) -> tuple[tuple[str, str], ...]:
    priors = parity.sides.find("priors")
    if priors is None:
        return ()
    frame = priors.to_frame()
    last = frame.columns[-1]
    return tuple((str(label), str(row[last])) for label, row in frame.iterrows())

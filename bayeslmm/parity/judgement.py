"""From the ladder to verdicts: evidence is gathered estimand by estimand and judged."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from math import isfinite, nan

import numpy as np
import pandas as pd

from bayeslmm.parity.checks import fit_problem, one_sided, posterior_problem
from bayeslmm.parity.ladder.ladder import Ladder
from bayeslmm.parity.ladder.rungs.sampled import UNKNOWN as PRIOR_UNKNOWN
from bayeslmm.parity.ladder.way import Way, moved_most, rows_by_label
from bayeslmm.parity.run_check import Expected, run_checks
from bayeslmm.parity.side_by_side import SideBySide, side_by_side
from bayeslmm.parity.sides import Sides
from bayeslmm.parity.table import all_labels
from bayeslmm.parity.terms import singular_terms
from bayeslmm.parity.verdicts.evidence import UNKNOWN, Evidence, Step, VerdictOptions
from bayeslmm.parity.verdicts.precedence import judge, said
from bayeslmm.parity.widths import Widths

REML_TWICE = "REML and the mode under flat priors"
TABLE_TWICE = "the estimate given and the model's own"


def judged(evidence: list[Evidence], run: "pd.Series[str]", options: VerdictOptions) -> pd.DataFrame:
    """Judge every estimand.

    Returns
    -------
    DataFrame, index ``label``
        ``kind, verdict, sentence, size`` (of the difference, in units of the larger of se and posterior sd),
        ``cause`` of the largest step, ``term`` (singular, empty for others), ``run_check, next_step``.
    """
    rows = []
    for e in evidence:
        verdict, names = judge(e, options)
        rows.append(
            {
                "label": e.label,
                "kind": e.kind,
                "verdict": verdict.name,
                "sentence": said(e, options),
                "size": e.total,
                "cause": e.leading[0].cause if e.leading else "",
                "term": e.term if "boundary" in names else "",
                "run_check": run.get(e.label, ""),
                "next_step": verdict.next_step,
            }
        )
    return pd.DataFrame(rows).set_index("label")


@dataclass(frozen=True, eq=False)
class Gathering:
    """What evidence is gathered from.

    Attributes
    ----------
    sides : the results. options : thresholds. ladder, widths : None where only tables were compared.
    """

    sides: Sides
    options: VerdictOptions
    ladder: Ladder | None
    widths: Widths | None

    @cached_property
    def evidence(self) -> list[Evidence]:
        """Of every estimand."""
        if self.ladder is None or self.widths is None:
            return [self._of_tables(side_by_side(label, self.sides)) for label in all_labels(self.sides)]
        return list(self._of_ladder(self.ladder, self.widths))

    @cached_property
    def run_checks(self) -> "pd.Series[str]":
        """By label."""
        return run_checks(
            self._sampled, self._expected, posterior_problem(self.sides, self.options), self.options
        )

    @property
    def _sampled(self) -> "pd.DataFrame | None":
        if self.ladder is not None:
            return self.ladder.study.sampled
        return self.sides.posterior.table.frame if self.sides.posterior else None

    @property
    def _expected(self) -> Expected:
        if self.ladder is None:
            labels = tuple(all_labels(self.sides))
            scale = np.array([side_by_side(label, self.sides).scale for label in labels])
            unknown = np.full(len(labels), np.nan)
            return Expected(labels, unknown, unknown, scale)
        frame = self.ladder.frame.query("rung == 'mean'").set_index("label")
        labels = self.ladder.study.estimands.labels
        mean, error = (frame[name].reindex(list(labels)).to_numpy(float) for name in ("value", "error"))
        return Expected(labels, mean, error, self.ladder.study.scale)

    def _of_tables(self, both: SideBySide) -> Evidence:
        """Of an estimand whose model isn't known: there is one step, without a cause."""
        scale = max(filter(isfinite, (both.se, both.sd)), default=nan)
        gone = (both.kind == "sd" and both.estimate == 0) or (
            both.kind == "cor" and not abs(both.estimate) < 1
        )
        at_edge = gone and isfinite(both.mean) and bool(self.sides.likelihood)
        total = (both.mean - both.estimate) / scale if isfinite(scale) else nan
        return Evidence(
            label=both.label,
            kind=both.kind,
            source=both.source,
            estimate=both.estimate,
            mean=both.mean,
            scale=scale,
            steps=(Step(PRIOR_UNKNOWN, total, UNKNOWN),) if isfinite(total) else (),
            error=self.options.mcse_factor * both.mcse / scale if isfinite(both.mcse) else 0.0,
            width_ratio=both.width_ratio,
            best=both.interval,
            term=both.label if at_edge else "",
            boundary="its estimate is on the boundary" if at_edge else "",
            problem=one_sided(self.sides) or fit_problem(self.sides),
        )

    def _of_ladder(self, ladder: Ladder, widths: Widths) -> Iterator[Evidence]:
        study, fit, through = ladder.study, ladder.study.best, moved_most(ladder.frame)
        start = "REML" if isinstance(fit, str) else fit.criterion
        problem = one_sided(self.sides) or fit_problem(self.sides) or (fit if isinstance(fit, str) else "")
        terms = {} if isinstance(fit, str) else singular_terms(fit)
        rows, given = rows_by_label(ladder.frame), self._given
        for i, label in enumerate(study.estimands.labels):
            way = Way.of(rows[label], start, study.estimands.is_linear(label))
            scale = float(study.scale[i])
            term, boundary = terms.get(label, ("", ""))
            twice, apart = self._twice(given.get(label, nan), way, scale)
            width_ratio, best = widths.against_best(i)
            yield Evidence(
                label=label,
                kind=study.estimands.kind(label),
                source=start,
                estimate=way.start,
                mean=way.end,
                scale=scale,
                steps=tuple(_through(step, through) for step in way.steps(scale)),
                error=self._error(way) / scale if scale > 0 else 0.0,
                width_ratio=width_ratio,
                width_error=float(np.nan_to_num(widths.error[i])),
                best=best,
                apart=apart,
                twice=twice,
                term=term,
                boundary=boundary,
                problem=problem,
            )

    def _error(self, way: Way) -> float:
        """Of the mean; where only draws tell it, as many MCSEs as bound it."""
        sampled = bool(way.rows) and way.rows[-1]["rung"] == "sampled"
        return way.error * (self.options.mcse_factor if sampled else 1.0)

    @property
    def _given(self) -> dict[str, float]:
        """Estimates of the fit's table by label."""
        if self.sides.fit is None:
            return {}
        estimate = self.sides.fit.table.frame["estimate"]
        return dict(zip(map(str, estimate.index), estimate.astype(float), strict=True))

    def _twice(self, given: float, way: Way, scale: float) -> tuple[str, float]:
        """What was computed twice, and how far apart it is: in units of what is allowed."""
        apart = {
            REML_TWICE: way.residual / self.options.theorem,
            TABLE_TWICE: abs(given - way.start) / self.options.twice,
        }
        known = {what: each / scale for what, each in apart.items() if scale > 0 and isfinite(each)}
        return max(known.items(), key=lambda each: each[1], default=("", 0.0))


def _through(step: Step, through: dict[str, str]) -> Step:
    return replace(step, through=through.get(step.cause, ""))

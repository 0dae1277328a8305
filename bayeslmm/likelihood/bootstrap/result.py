"""What a bootstrap found."""

from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bayeslmm.arguments import verbs_in_our_words
from bayeslmm.errors import OptionError, check_choice, check_prob
from bayeslmm.estimands.headed import HeadedTable
from bayeslmm.estimands.table import EstimateTable
from bayeslmm.likelihood.bootstrap.intervals import IntervalMethod, Sample
from bayeslmm.likelihood.bootstrap.intervals.base import IntervalWord
from bayeslmm.likelihood.bootstrap.intervals.percentile import Percentile
from bayeslmm.likelihood.bootstrap.jackknife import acceleration, leave_one_out
from bayeslmm.likelihood.bootstrap.kinds.base import BootstrapKind
from bayeslmm.likelihood.bootstrap.parameters import parameters, standard_errors
from bayeslmm.likelihood.bootstrap.statistic import Statistic
from bayeslmm.likelihood.bootstrap.task import Columns, RefitTask
from bayeslmm.likelihood.fitted import Fitted
from bayeslmm.printed import Page, Printed, screen_text
from bayeslmm.runs.plan import Plan
from bayeslmm.runs.replicates import collect, finished
from bayeslmm.spec.design import Design
from bayeslmm.spec.labels import kind_of, ranef_labels

type Array = NDArray[np.float64]


@verbs_in_our_words
@dataclass(frozen=True)
class Bootstrap(Printed):
    """Refits of replicates.

    Attributes
    ----------
    fit : that was replicated. maker : the kind of bootstrap with its options.
    n, seed : replicates, and what they were made from.
    labels : (m,) parameters, or values of the statistic. estimate : (m,) of the fit.
    columns : what was kept of each replicate.
    statistic : whose values took the place of the parameters, or None.
    stopped_before : replicates asked for, where Ctrl-C cut the run short.
    """

    INNER = ("acceleration", "columns", "maker")

    fit: Fitted
    maker: BootstrapKind
    n: int
    seed: int
    labels: tuple[str, ...]
    estimate: Array
    columns: Columns
    statistic: Statistic | None = None
    stopped_before: int | None = None

    @property
    def design(self) -> Design:
        """Of the fit."""
        return self.fit.design

    @property
    def kind(self) -> str:
        """Keyword of the kind of bootstrap."""
        return self.maker.keyword

    @property
    def criterion(self) -> str:
        """Of the fit and its refits, "REML" or "ML"."""
        return self.fit.criterion

    @property
    def values(self) -> Array:
        """(n, m) draws, NaN where a refit failed or the statistic raised."""
        return self.columns.values

    @property
    def criterion_values(self) -> Array:
        """(n,) of the refits."""
        return self.columns.criterion

    @property
    def failed(self) -> NDArray[np.bool_]:
        """(n,) no optimum found."""
        return self.columns.failed

    @property
    def singular(self) -> NDArray[np.bool_]:
        """(n,) some direction of a covariance vanished."""
        return self.columns.singular

    @property
    def raised(self) -> NDArray[np.bool_]:
        """(n,) the statistic raised an error."""
        return self.columns.raised

    @property
    def ranef_estimate(self) -> Array:
        """(q,) BLUPs of the fit."""
        return self.fit.b

    @property
    def ranef_errors(self) -> Array | None:
        """(n, q) b̂* − b*, or None."""
        return self.columns.ranef_errors

    @cached_property
    def se_draws(self) -> Array:
        """(n, m) standard errors of the parameters in each replicate, NaN on a boundary.

        Kept by ``se=True``; else the replicates are made again from their seed when this is first asked for.

        Raises
        ------
        OptionError
            For a statistic, which has none.
        """
        if self.columns.se is not None:
            return self.columns.se
        if self.statistic is not None:
            raise OptionError(
                "studentized intervals need a standard error of every draw, and a statistic has none; "
                "use 'percentile', 'basic', 'normal' or 'bca'"
            )
        task, plan = RefitTask.of(self.fit, self.maker, se=True), Plan(self.n, self.seed)
        rows, _ = collect(finished(task, plan, None), plan, None)
        again = Columns.of(np.concatenate(rows), len(self.labels), se=True, ranef=False)
        assert again.se is not None
        return again.se

    @cached_property
    def acceleration(self) -> Array:
        """(m,) of BCa intervals, by leaving out one level of the coarsest factor at a time."""
        ask = parameters if self.statistic is None else self.statistic
        return acceleration(leave_one_out(self.fit, ask))

    @cached_property
    def draws(self) -> pd.DataFrame:
        """Draws by label, one row a replicate."""
        return pd.DataFrame(
            self.values, columns=list(self.labels), index=pd.RangeIndex(self.n, name="replicate")
        )

    @property
    def n_failed(self) -> int:
        """Replicates whose refit found no optimum; their draws are NaN."""
        return int(self.failed.sum())

    @property
    def n_singular(self) -> int:
        """Replicates whose refit is singular; they count."""
        return int(self.singular.sum())

    @property
    def n_raised(self) -> int:
        """Replicates in which the statistic raised; their draws are NaN."""
        return int(self.raised.sum())

    @property
    def notes(self) -> tuple[str, ...]:
        """What to know before trusting the intervals."""
        notes = []
        if self.stopped_before is not None:
            notes.append(f"stopped after {self.n} of {self.stopped_before} replicates")
        if self.n_failed:
            notes.append(f"{self.n_failed} of {self.n} refits found no optimum and are left out")
        if self.n_raised:
            notes.append(f"the statistic raised in {self.n_raised} of {self.n} replicates; they are left out")
        if self.n_singular:
            notes.append(
                f"{self.n_singular} of {self.n} refits are singular; they count, "
                "but a correlation with an sd of 0 doesn't exist"
            )
        return tuple(notes)

    def confint(self, method: IntervalWord = "percentile", prob: float = 0.95) -> HeadedTable:
        """Intervals by label: lower, upper.

        Parameters
        ----------
        method : "percentile", "basic", "normal", "studentized" or "bca".
        prob : probability.

        Raises
        ------
        OptionError
            For an unknown method, a probability outside (0, 1), or studentized intervals of a statistic.
        """
        frame = self._intervals(method, prob)[["lower", "upper"]]
        heading = f"{100 * prob:g} % {method} intervals, {self._made}"
        return HeadedTable.of(frame, heading, self.notes, method=method, prob=prob)

    def _intervals(self, method: IntervalWord, prob: float) -> pd.DataFrame:
        methods = IntervalMethod.kinds()
        chosen = methods[check_choice("interval method", method, methods)]()
        m = len(self.labels)
        nothing = np.full(m, np.nan)
        draw_se = self.se_draws.T if chosen.needs_se else [None] * m
        se = standard_errors(self.fit) if chosen.needs_se else nothing
        a = self.acceleration if chosen.needs_acceleration else nothing
        samples = [
            Sample(float(self.estimate[i]), self.values[:, i], float(se[i]), draw_se[i], float(a[i]), kind)
            for i, kind in enumerate(self._kinds())
        ]
        return _intervals(self.labels, samples, chosen, prob)

    def _kinds(self) -> list[str]:
        if self.statistic is not None:
            return ["statistic"] * len(self.labels)
        return [kind_of(label) for label in self.labels]

    def estimates(
        self, prob: float = 0.95, method: IntervalWord = "percentile", ranef: bool = False
    ) -> EstimateTable:
        """The fit's estimates with the draws' sd as standard error, bias, intervals, and n_ok, the draws they
        rest on.

        Parameters
        ----------
        prob, method : as for `confint`.
        ranef : add the random effects, where the bootstrap kept them. Their se is the root mean square of
            b̂* − b*; their interval is b̂ less quantiles of that error, whatever the method.
        """
        frame = _summary(self.labels, self._kinds(), self.estimate, self.values)
        parts = [frame.join(self._intervals(method, prob))]
        if ranef and self.ranef_errors is not None:
            parts.append(self._ranef_frame(self.ranef_errors, prob))
        return EstimateTable(pd.concat(parts), "bootstrap", method, prob)

    def _ranef_frame(self, errors: Array, prob: float) -> pd.DataFrame:
        labels = ranef_labels(self.design)
        predicted = self.ranef_estimate - errors  # draws of b about b̂
        frame = _summary(labels, ["ranef"] * len(labels), self.ranef_estimate, predicted)
        frame["se"] = np.sqrt(np.nanmean(errors**2, axis=0))
        samples = [
            Sample(float(b), column) for b, column in zip(self.ranef_estimate, predicted.T, strict=True)
        ]
        return frame.join(_intervals(labels, samples, Percentile(), prob))

    @property
    def page(self) -> Page:
        """What is printed."""
        table = self.estimates()
        return Page(
            table.page.frame, f"{self._made}, {table.prob:.0%} {table.interval} intervals", self.notes
        )

    @property
    def _made(self) -> str:
        return f"{self.kind} bootstrap, {self.n} replicates, seed {self.seed}"

    def __repr__(self) -> str:
        return "\n".join([self._made, *self.notes, screen_text(self.page.frame)])

    def _repr_html_(self) -> str:
        return self.estimates()._repr_html_()

    def __getstate__(self) -> dict[str, Any]:
        # what is cached can be had again
        return {each.name: getattr(self, each.name) for each in fields(self)}


def _summary(labels: tuple[str, ...], kinds: list[str], estimate: Array, values: Array) -> pd.DataFrame:
    draws = pd.DataFrame(values, columns=list(labels))
    columns = {
        "kind": kinds,
        "estimate": estimate,
        "se": draws.std(),
        "bias": draws.mean() - estimate,
    }
    return pd.DataFrame(columns, index=list(labels))


def _intervals(
    labels: tuple[str, ...], samples: list[Sample], method: IntervalMethod, prob: float
) -> pd.DataFrame:
    """lower, upper and n_ok, the draws that counted."""
    check_prob(prob)
    finite = [sample.finite() for sample in samples]
    limits = [method.limits(sample, prob) if len(sample.draws) > 1 else (np.nan, np.nan) for sample in finite]
    frame = pd.DataFrame(limits, index=list(labels), columns=["lower", "upper"])
    frame.insert(0, "n_ok", [len(sample.draws) for sample in finite])
    return frame

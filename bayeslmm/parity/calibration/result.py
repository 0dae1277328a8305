"""What calibration found: coverage, width, bias and power of every method, and which interval to trust."""

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bayeslmm.likelihood.inference.table import InferenceTable, headed
from bayeslmm.parity.calibration.methods.base import Said
from bayeslmm.parity.calibration.task import FACTS
from bayeslmm.parity.calibration.trust import Performance, trusted
from bayeslmm.printed import Page, Printed
from bayeslmm.spec.labels import kind_of

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

type Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Calibration(Printed):
    """How intervals behave in data simulated for one design.

    Attributes
    ----------
    formula, criterion : of the model. labels : (L,) estimands. methods, paradigms : of intervals.
    truth : (L,) by label, the mean of many where data come from a posterior. prob : of the intervals.
    rows : (n, ·) as `CalibrationTask` says. seed : of all. stopped_before : data sets asked for, where Ctrl-C
        cut the run short.
    """

    INNER = ("heading", "paradigms", "rows")

    formula: str
    criterion: str
    labels: tuple[str, ...]
    methods: tuple[str, ...]
    paradigms: tuple[str, ...]
    truth: "pd.Series[float]"
    prob: float
    rows: Array
    seed: int
    stopped_before: int | None = None

    @property
    def n(self) -> int:
        """Data sets."""
        return len(self.rows)

    @property
    def n_failed(self) -> int:
        """Data sets in which no optimum was found; they don't count."""
        return int(self.rows[:, 0].sum())

    @property
    def singular(self) -> float:
        """Share of data sets in which some direction of a covariance vanished."""
        return float(self.rows[:, 1].mean())

    @cached_property
    def truths(self) -> Array:
        """(n, L) of each data set."""
        return self.rows[:, FACTS : FACTS + len(self.labels)]

    def said(self, method: str) -> Said:
        """What a method said, (n, L) each."""
        width = len(Said._fields) * len(self.labels)
        first = FACTS + len(self.labels) + self.methods.index(method) * width
        parts = self.rows[:, first : first + width].reshape(self.n, len(Said._fields), len(self.labels))
        return Said(*parts.transpose(1, 0, 2))

    @cached_property
    def table(self) -> InferenceTable:
        """One row an estimand and method.

        n, coverage, width, width_median, score, bias, rmse, and for fixed effects type_1, the share of tests
        that reject the true value, and power, the share of intervals without 0; each with its Monte Carlo
        error. The interval score is the width plus 2/(1 − prob) times what the truth lies outside by
        (Gneiting & Raftery 2007): short intervals that hold the truth as often as they should have least.
        """
        rows = {
            (label, method): self._performance(i, method).row(kind_of(label) == "beta")
            for i, label in enumerate(self.labels)
            for method in self.methods
        }
        frame = pd.DataFrame.from_dict(rows, orient="index")
        frame.index = pd.MultiIndex.from_tuples(list(rows), names=["label", "method"])
        frame = frame[frame["n"] > 0]
        return headed(frame, self.heading, self.notes, prob=self.prob, seed=self.seed)

    def _performance(self, i: int, method: str) -> Performance:
        return Performance.of(self.said(method), i, self.truths[:, i], self.prob)

    @property
    def heading(self) -> str:
        """Above the table."""
        return (
            f"{100 * self.prob:g} % intervals in {self.n} data sets simulated for {self.formula}, "
            f"{self.criterion} fits, seed {self.seed}"
        )

    @property
    def notes(self) -> tuple[str, ...]:
        """Below it."""
        notes = [f"{100 * self.singular:.1f} % of the fits were singular"]
        if self.n_failed:
            notes.append(f"no optimum was found in {self.n_failed} data sets, which don't count")
        if self.stopped_before:
            notes.append(f"stopped before {self.stopped_before} data sets were done")
        return tuple(notes)

    @cached_property
    def trust(self) -> InferenceTable:
        """The interval to trust, by label: method, coverage, coverage_mcse, width (median), sentence."""
        found = {
            label: trusted(label, {m: self._performance(i, m) for m in self.methods}, self.prob)
            for i, label in enumerate(self.labels)
        }
        frame = pd.DataFrame.from_dict(found, orient="index").rename_axis("label")
        return headed(
            frame, f"Intervals to trust: {self.heading}", self.notes, prob=self.prob, seed=self.seed
        )

    @property
    def page(self) -> Page:
        """What is printed."""
        return Page(self._shown, self.heading, (*self.notes, *self.trust["sentence"]))

    @property
    def _shown(self) -> pd.DataFrame:
        names = ["n", "coverage", "coverage_mcse", "width_median", "bias", "rmse", "type_1", "power"]
        return pd.DataFrame(self.table[names])

    def to_frame(self) -> pd.DataFrame:
        """The whole table as an ordinary DataFrame."""
        return self.table.to_frame()

    def plot(self) -> "Figure":
        """Coverage of every method beside the width of its intervals."""
        from bayeslmm.render.coverage import CoverageRow, plot_coverage

        paradigm = dict(zip(self.methods, self.paradigms, strict=True))
        names = [(str(label), str(method)) for label, method in self.table.index]
        columns = self.table[["coverage", "coverage_mcse", "width_median"]].to_numpy(dtype=float)
        rows = [
            CoverageRow(label, method, paradigm[method], *map(float, numbers))
            for (label, method), numbers in zip(names, columns, strict=True)
        ]
        return plot_coverage(rows, self.prob)

    def __repr__(self) -> str:
        body = self._shown.to_string(float_format="{:.4g}".format, na_rep="")
        return "\n".join([self.heading, body, *self.notes, "", *self.trust["sentence"]])

    def _repr_html_(self) -> str:
        from bayeslmm.markup import paragraph

        return self.table._repr_html_() + "".join(map(paragraph, self.trust["sentence"]))

"""Estimated marginal means, slopes and their contrasts: linear functions of β̂ over the reference grid."""

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bayeslmm.errors import check_choice, check_prob
from bayeslmm.likelihood.fitted import Fitted
from bayeslmm.likelihood.inference.adjust.base import Adjustment, AdjustWord, Family
from bayeslmm.likelihood.inference.coef_table import t_frame
from bayeslmm.likelihood.inference.ddf.base import DDF
from bayeslmm.likelihood.inference.ddf.methods import ddf_of
from bayeslmm.likelihood.inference.table import InferenceTable, headed
from bayeslmm.printed import Page, Printed
from bayeslmm.spec.contrasts import KINDS, Contrasts, contrasts
from bayeslmm.spec.grid import Functions, Grid, GridOptions

if TYPE_CHECKING:
    from bayeslmm.estimands.table import EstimateTable

type Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class MarginalMeans(Printed):
    """Means, or slopes, at combinations of variables, the others averaged over.

    Attributes
    ----------
    fit, method : whose β̂, and its degrees of freedom. functions : of β that they are.
    kind : "mean" or "slope". prob : of the intervals.
    """

    fit: Fitted
    method: DDF
    functions: Functions
    kind: str
    prob: float

    @cached_property
    def table(self) -> InferenceTable:
        """By combination: estimate, se, df, t, p, lower, upper; NaN, and a note why, where not estimable."""
        heading = f"Marginal {self.kind}s, {self.method.name} degrees of freedom, {self._intervals}"
        return self._headed(self._frame(self.functions), heading, self.functions)

    def contrasts(self, kind: Contrasts = "pairwise", *, adjust: AdjustWord | None = None) -> InferenceTable:
        """Differences within each group of `by`.

        Parameters
        ----------
        kind : "pairwise", "reference" (each less the first), or rows of weights: a matrix, a DataFrame, or a
            mapping from a contrast's name.
        adjust : of p and intervals within a group: "tukey" (pairwise), "dunnett" (reference; by the
            contrasts' own correlations), "holm" (with Bonferroni's intervals), "none"; None for the usual.

        Returns
        -------
        estimate, se, df, t, p, lower, upper by contrast.

        Raises
        ------
        OptionError
            For an unknown choice, weights of the wrong number, or an adjustment that isn't for the kind.
        """
        adjustment = _adjustment(kind, adjust)
        asked = contrasts(self.functions, kind)
        frame = self._frame(asked)
        for _, places in asked.groups:
            self._adjust(frame, asked, places, adjustment, kind)
        heading = f"Contrasts, {self.method.name} degrees of freedom, {adjustment.name}, {self._intervals}"
        return self._headed(frame, heading, asked, adjust=adjustment.keyword)

    def estimates(self) -> "EstimateTable":
        """The same as a table of estimands, labelled as the posterior's."""
        from bayeslmm.estimands.table import EstimateTable

        frame = self._frame(self.functions)[["estimate", "se", "lower", "upper"]]
        frame.index = pd.Index(self.functions.labels(self.kind), name="label")
        return EstimateTable(frame.assign(kind=self.kind), self.fit.criterion, self.method.keyword, self.prob)

    def to_frame(self) -> pd.DataFrame:
        """The table as an ordinary DataFrame."""
        return self.table.to_frame()

    @property
    def page(self) -> Page:
        """What is printed."""
        return self.table.page

    def __repr__(self) -> str:
        return repr(self.table)

    def _repr_html_(self) -> str:
        return self.table._repr_html_()

    @property
    def _intervals(self) -> str:
        return f"{100 * self.prob:g} % intervals"

    def _frame(self, functions: Functions) -> pd.DataFrame:
        there = functions.estimable
        L = functions.kept[there]
        estimate = L @ self.fit.beta_values + functions.c[there]
        found = t_frame(self.method, L, estimate, np.zeros(len(L)), self.prob)
        return found.set_axis(np.flatnonzero(there)).reindex(range(len(there))).set_axis(functions.index)

    def _adjust(
        self,
        frame: pd.DataFrame,
        asked: Functions,
        places: NDArray[np.intp],
        adjustment: Adjustment,
        kind: Contrasts,
    ) -> None:
        """Put adjusted p and limits into the rows of one group."""
        own = places[asked.estimable[places]]
        if not len(own):
            return
        values = frame.iloc[own]
        family = Family(
            values["t"].to_numpy(),
            values["df"].to_numpy(),
            self._correlation(asked.kept[own]),
            _n_means(self.functions, asked, places),
            kind if isinstance(kind, str) else "own",
        )
        half = adjustment.critical(family, self.prob) * values["se"].to_numpy()
        estimate, rows = values["estimate"].to_numpy(), frame.index[own]
        new = {"p": adjustment.p(family), "lower": estimate - half, "upper": estimate + half}
        frame.loc[rows, list(new)] = np.column_stack(list(new.values()))

    def _correlation(self, L: Array) -> Array:
        C = self.method.rows(L)
        covariance = C @ self.method.covariance @ C.T
        sd = np.sqrt(np.diag(covariance))
        return np.asarray(covariance / np.outer(sd, sd))

    def _headed(
        self, frame: pd.DataFrame, heading: str, functions: Functions, **attrs: str
    ) -> InferenceTable:
        return headed(frame, heading, functions.notes, ddf=self.method.keyword, prob=self.prob, **attrs)


def _n_means(means: Functions, asked: Functions, places: NDArray[np.intp]) -> int:
    """How many means the group of these contrasts compares."""
    if not asked.n_by:
        return len(means.index)
    key = tuple(asked.index[places[0]])[: asked.n_by]
    return next(len(own) for found, own in means.groups if found == key)


def _adjustment(kind: Contrasts, adjust: str | None) -> Adjustment:
    kinds = Adjustment.kinds()
    if adjust is not None:
        return kinds[check_choice("adjust", adjust, kinds)]()
    word = check_choice("contrasts", kind, KINDS) if isinstance(kind, str) else "own"
    return next(found() for found in kinds.values() if word in found.usual_for)


def marginal_means(fit: Fitted, options: GridOptions, ddf: str, prob: float) -> MarginalMeans:
    """The means at combinations of variables.

    Raises
    ------
    OptionError
        For a name that isn't a variable of the fixed part, or an unknown choice.
    """
    check_prob(prob)
    return MarginalMeans(fit, ddf_of(fit, ddf), Grid(fit.design, fit.recipe, options).means(), "mean", prob)


def slopes(fit: Fitted, variable: str, options: GridOptions, ddf: str, prob: float) -> MarginalMeans:
    """The slopes of a variable at combinations of others.

    Raises
    ------
    OptionError
        For a factor, a name that isn't a variable of the fixed part, or an unknown choice.
    """
    check_prob(prob)
    functions = Grid(fit.design, fit.recipe, options).slopes(variable)
    return MarginalMeans(fit, ddf_of(fit, ddf), functions, "slope", prob)

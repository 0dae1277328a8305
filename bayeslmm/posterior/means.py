"""Marginal means, slopes and their contrasts from draws of β, over the same reference grid as a fit's."""

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bayeslmm.posterior.summary.derived import derived_table
from bayeslmm.posterior.summary.estimates import Interval
from bayeslmm.printed import Page, Printed
from bayeslmm.spec.contrasts import Contrasts, contrasts
from bayeslmm.spec.grid import Functions

if TYPE_CHECKING:
    from bayeslmm.estimands.table import EstimateTable

type Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class PosteriorMeans(Printed):
    """Means, or slopes, at combinations of variables, the others averaged over.

    Attributes
    ----------
    functions : of β that they are. beta : (chains, draws, p). kind : "mean" or "slope".
    prob, interval : of the intervals.
    """

    functions: Functions
    beta: Array
    kind: str
    prob: float
    interval: Interval

    @cached_property
    def table(self) -> "EstimateTable":
        """By combination: mean, median, sd, lower, upper, diagnostics, and P(> 0 | y) as `probability`."""
        return self._table(self.functions, self.kind)

    def contrasts(self, kind: Contrasts = "pairwise") -> "EstimateTable":
        """Differences within each group of `by`, with the posterior probability that each is positive.

        Parameters
        ----------
        kind : "pairwise", "reference" (each less the first), or rows of weights: a matrix, a DataFrame, or a
            mapping from a contrast's name.

        Raises
        ------
        OptionError
            For an unknown kind, or weights of the wrong number.
        """
        return self._table(contrasts(self.functions, kind), "contrast")

    def draws(self) -> Array:
        """(chains, draws, m), NaN where not estimable."""
        return self.functions.values(self.beta)

    @property
    def notes(self) -> tuple[str, ...]:
        """A line for each mean that isn't estimable."""
        return self.functions.notes

    def to_frame(self) -> pd.DataFrame:
        """The table as an ordinary DataFrame."""
        return self.table.to_frame()

    @property
    def page(self) -> Page:
        """What is printed."""
        return self.table.page._replace(notes=self.notes)

    def __repr__(self) -> str:
        return "\n".join([repr(self.table), *self.notes])

    def _repr_html_(self) -> str:
        return self.table._repr_html_()

    def _table(self, functions: Functions, kind: str) -> "EstimateTable":
        draws, labels = functions.values(self.beta), functions.labels(kind)
        return derived_table(labels, draws, self.prob, self.interval, functions.estimable)

"""What a bootstrap found."""

from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bayeslmm.errors import OptionError, check_choice
from bayeslmm.estimands.labels import kind_of, ranef_labels
from bayeslmm.estimands.table import EstimateTable
from bayeslmm.likelihood.bootstrap.intervals import INTERVALS
from bayeslmm.spec.design import Design

type Array = NDArray[np.float64]


@dataclass(frozen=True)
class Bootstrap:
    """Refits of simulated responses.

    Attributes
    ----------
    design : of the fit. kind : "parametric". criterion : "REML" or "ML".
    n, seed : replicates, and what they were made from.
    labels : (m,) parameters. estimate : (m,) of the fit. values : (n, m) draws, NaN where a refit failed.
    criterion_values : (n,) of the refits.
    failed, singular : (n,) no optimum found; some direction of a covariance vanished.
    ranef_estimate : (q,) BLUPs of the fit. ranef_errors : (n, q) b̂* − b*, or None.
    """

    design: Design
    kind: str
    criterion: str
    n: int
    seed: int
    labels: tuple[str, ...]
    estimate: Array
    values: Array
    criterion_values: Array
    failed: NDArray[np.bool_]
    singular: NDArray[np.bool_]
    ranef_estimate: Array
    ranef_errors: Array | None = None

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
    def notes(self) -> tuple[str, ...]:
        """What to know before trusting the intervals."""
        notes = []
        if self.n_failed:
            notes.append(f"{self.n_failed} of {self.n} refits found no optimum and are left out")
        if self.n_singular:
            notes.append(
                f"{self.n_singular} of {self.n} refits are singular; they count, "
                "but a correlation with an sd of 0 doesn't exist"
            )
        return tuple(notes)

    def confint(self, method: str = "percentile", prob: float = 0.95) -> pd.DataFrame:
        """Intervals by label: lower, upper.

        Parameters
        ----------
        method : "percentile", "basic" or "normal".
        prob : probability.

        Raises
        ------
        OptionError
            For an unknown method, or a probability outside (0, 1).
        """
        return _intervals(self.labels, self.estimate, self.values, method, prob)

    def estimates(self, prob: float = 0.95, method: str = "percentile", ranef: bool = False) -> EstimateTable:
        """The fit's estimates with the draws' sd as standard error, bias, and intervals.

        Parameters
        ----------
        prob, method : as for `confint`.
        ranef : add the random effects, where the bootstrap kept them. Their se is the root mean square of
            b̂* − b*; their interval is b̂ less quantiles of that error, whatever the method.
        """
        frame = _summary(self.labels, self.estimate, self.values)
        parts = [frame.join(self.confint(method, prob))]
        if ranef and self.ranef_errors is not None:
            parts.append(self._ranef_frame(self.ranef_errors, prob))
        return EstimateTable(pd.concat(parts), "bootstrap", method, prob)

    def _ranef_frame(self, errors: Array, prob: float) -> pd.DataFrame:
        labels = ranef_labels(self.design)
        predicted = self.ranef_estimate - errors  # draws of b about b̂
        frame = _summary(labels, self.ranef_estimate, predicted)
        frame["se"] = np.sqrt(np.nanmean(errors**2, axis=0))
        return frame.join(_intervals(labels, self.ranef_estimate, predicted, "percentile", prob))

    def __repr__(self) -> str:
        notes = "".join(f"\n{note}" for note in self.notes)
        return (
            f"{self.kind} bootstrap, {self.n} replicates, seed {self.seed}{notes}\n{self.estimates().frame}"
        )

    def _repr_html_(self) -> str:
        return self.estimates()._repr_html_()

    def __getstate__(self) -> dict[str, Any]:
        # what is cached can be had again
        return {each.name: getattr(self, each.name) for each in fields(self)}


def _summary(labels: tuple[str, ...], estimate: Array, values: Array) -> pd.DataFrame:
    draws = pd.DataFrame(values, columns=list(labels))
    columns = {
        "kind": [kind_of(label) for label in labels],
        "estimate": estimate,
        "se": draws.std(),
        "bias": draws.mean() - estimate,
        "n_ok": draws.count(),
    }
    return pd.DataFrame(columns, index=list(labels))


def _intervals(
    labels: tuple[str, ...], estimate: Array, values: Array, method: str, prob: float
) -> pd.DataFrame:
    interval = INTERVALS[check_choice("interval method", method, INTERVALS)]
    if not 0 < prob < 1:
        raise OptionError(f"prob is {prob}; a probability lies between 0 and 1")
    finite = [column[np.isfinite(column)] for column in values.T]
    limits = [
        interval(float(value), column, prob) if len(column) > 1 else (np.nan, np.nan)
        for value, column in zip(estimate, finite, strict=True)
    ]
    return pd.DataFrame(limits, index=list(labels), columns=["lower", "upper"])

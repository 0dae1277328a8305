"""Functions of the parameters, draw by draw, as an EstimateTable."""

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bayeslmm.posterior.summary.estimates import Interval, check_interval, summarize

if TYPE_CHECKING:
    from bayeslmm.estimands.table import EstimateTable

type Array = NDArray[np.float64]


def derived_table(
    labels: tuple[str, ...],
    draws: Array,
    prob: float,
    interval: Interval = "eti",
    estimable: NDArray[np.bool_] | None = None,
) -> "EstimateTable":
    """Mean, median, sd, interval, diagnostics and `probability`, P(> 0 | y), of each column of draws.

    Parameters
    ----------
    draws : (chains, draws, k). estimable : (k,) all if None; the others' rows are NaN.

    Raises
    ------
    OptionError
        When the interval is misspelt or the probability isn't one.
    """
    from bayeslmm.estimands.table import EstimateTable

    check_interval(interval, prob)
    there = np.ones(len(labels), dtype=bool) if estimable is None else estimable
    kept = tuple(label for label, known in zip(labels, there, strict=True) if known)
    found = summarize(kept, draws[..., there], prob, interval)
    found["probability"] = np.mean(draws[..., there] > 0, axis=(0, 1))
    frame = found.reindex(pd.Index(labels, name="label"))
    frame["kind"] = [label.partition("[")[0] for label in labels]
    return EstimateTable(frame, "posterior", interval, prob)

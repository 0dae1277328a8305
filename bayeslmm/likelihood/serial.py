"""How residuals of one group go together: their autocorrelation by steps, half their squared differences."""

from collections.abc import Iterator
from typing import Literal, get_args

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bayeslmm.errors import check_choice, check_whole
from bayeslmm.likelihood.fitted import Fitted

type Array = NDArray[np.float64]
type Codes = NDArray[np.int64]

type ResidualsAlong = Literal["normalized", "pearson", "response"]

NORMALIZED: ResidualsAlong = "normalized"
KINDS = get_args(ResidualsAlong.__value__)


def autocorrelation(fit: Fitted, max_lag: int, kind: str) -> pd.DataFrame:
    """Mean product of residuals k rows apart over their mean square, within groups: lag, acf, n_pairs.

    Raises
    ------
    OptionError
        For an unknown kind, or a lag below 1.
    """
    check_whole("max_lag", max_lag, 1)
    r, groups = residuals_of(fit, kind), list(groups_of(fit))
    whole = float(np.mean(r**2))
    found = [
        np.concatenate([np.zeros(0), *(r[rows[lag:]] * r[rows[:-lag]] for rows in groups if len(rows) > lag)])
        for lag in range(1, max_lag + 1)
    ]
    means = [float(np.mean(each)) / whole if len(each) else np.nan for each in found]
    counts = [len(r), *map(len, found)]
    return pd.DataFrame({"lag": range(max_lag + 1), "acf": [1.0, *means], "n_pairs": counts})


def variogram(fit: Fitted, bins: int, kind: str) -> pd.DataFrame:
    """½(r_i − r_j)² of pairs of one group by their distance, in bins of as many pairs: distance,
    variogram, n_pairs.

    The distance is that of the coordinates of the residual's correlation; of rows in order where it has none.

    Raises
    ------
    OptionError
        For an unknown kind, or no bin.
    """
    check_whole("bins", bins, 1)
    r, at = residuals_of(fit, kind), fit.design.residual.coordinates
    distances, halves = [np.zeros(0)], [np.zeros(0)]
    for rows in groups_of(fit):
        i, j = np.triu_indices(len(rows), 1)
        place = np.arange(len(rows), dtype=np.float64)[:, None] if at is None else at[rows]
        distances.append(np.sqrt(np.sum((place[i] - place[j]) ** 2, axis=1)))
        halves.append(0.5 * (r[rows[i]] - r[rows[j]]) ** 2)
    pairs = pd.DataFrame({"distance": np.concatenate(distances), "variogram": np.concatenate(halves)})
    share = pairs["distance"].rank(method="dense", pct=True) if pairs["distance"].nunique() <= bins else None
    which = pd.qcut(pairs["distance"], bins, duplicates="drop") if share is None else share
    grouped = pairs.groupby(which, observed=True)
    return grouped.mean().assign(n_pairs=grouped.size()).reset_index(drop=True)


def residuals_of(fit: Fitted, kind: str) -> Array:
    """(n,) of one kind."""
    check_choice("residuals", kind, KINDS)
    found = {"normalized": "normalized_residuals", "pearson": "pearson_residuals", "response": "residuals"}
    return np.asarray(getattr(fit, found[kind]), dtype=np.float64)


def groups_of(fit: Fitted) -> Iterator[Codes]:
    """Rows of each residual group in its order; of the factor with most levels where R joins none."""
    design = fit.design
    codes = design.residual.groups
    if codes is None and design.blocks:
        codes = max(design.blocks, key=lambda block: block.n_levels).codes
    order = design.residual.order
    own = np.zeros(design.n, dtype=np.int64) if codes is None else codes[order]
    by_group = np.argsort(own, kind="stable")
    yield from np.split(order[by_group], np.flatnonzero(np.diff(own[by_group])) + 1)

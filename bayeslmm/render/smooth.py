"""A smooth line through points: local straight lines, robust against outliers (Cleveland 1979)."""

import numpy as np
from numpy.typing import NDArray

type Array = NDArray[np.float64]

POINTS = 60  # of the line
SPAN = 2 / 3  # share of the points that a local line sees
MOST = 5_000  # points it is made of


def smooth(x: Array, y: Array) -> tuple[Array, Array]:
    """The line at up to 60 places; nothing where x has fewer than four values.

    Parameters
    ----------
    x, y : (n,).
    """
    order = np.argsort(x, kind="stable")
    order = order[np.unique(np.linspace(0, len(x) - 1, min(len(x), MOST)).astype(np.intp))]
    x, y = x[order], y[order]
    if len(np.unique(x)) < 4:
        return np.zeros(0), np.zeros(0)
    at = np.unique(np.quantile(x, np.linspace(0, 1, POINTS)))
    robust = np.ones(len(x))
    for _ in range(3):
        line = _local_lines(x, y, robust, at)
        left = np.abs(y - np.interp(x, at, line))
        robust = np.clip(1 - (left / max(6 * float(np.median(left)), 1e-300)) ** 2, 0, 1) ** 2
    return at, line


def _local_lines(x: Array, y: Array, robust: Array, at: Array) -> Array:
    """Weighted least squares around each place, with tricube weights of the nearest points."""
    distance = np.abs(x - at[:, None])
    reach = np.partition(distance, int(SPAN * (len(x) - 1)), axis=1)[:, int(SPAN * (len(x) - 1))]
    reach = np.maximum(reach, 1e-9 * np.ptp(x))
    w = np.clip(1 - (distance / reach[:, None]) ** 3, 0, 1) ** 3 * robust + 1e-12
    total, centre = w.sum(axis=1), (w @ x) / w.sum(axis=1)
    gap = x - centre[:, None]
    slope = np.sum(w * gap * y, axis=1) / np.maximum(np.sum(w * gap**2, axis=1), 1e-12 * np.ptp(x) ** 2)
    return np.asarray((w @ y) / total + slope * (at - centre))

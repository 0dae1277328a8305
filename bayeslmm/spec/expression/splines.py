"""Regression splines as R's `splines` package has them: knots, basis, continuation beyond the boundary."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

type Array = NDArray[np.float64]
type State = dict[str, Any]


def bs(
    x: Array,
    df: int | None = None,
    knots: ArrayLike | None = None,
    degree: int = 3,
    intercept: bool = False,
    Boundary_knots: Sequence[float] | None = None,
    *,
    include_intercept: bool = False,
    lower_bound: float | None = None,
    upper_bound: float | None = None,
    _state: State,
) -> Array:
    """B-splines (n, df); beyond the boundary knots the outer polynomials go on.

    Without `knots` there are df − degree (one less with the intercept), at quantiles of the x within the
    boundary.
    """
    intercept = intercept or include_intercept
    x = np.asarray(x, dtype=np.float64)
    if not _state:
        bounds = _bounds(x, Boundary_knots, lower_bound, upper_bound)
        _state["bounds"] = bounds
        _state["knots"] = _inner(x, bounds, knots, None if df is None else df - degree - intercept)
    return _b_splines(_state["knots"], _state["bounds"], x, degree)[:, 0 if intercept else 1 :]


def ns(
    x: Array,
    df: int | None = None,
    knots: ArrayLike | None = None,
    intercept: bool = False,
    Boundary_knots: Sequence[float] | None = None,
    *,
    _state: State,
) -> Array:
    """Natural cubic splines (n, df): cubic B-splines without curvature at the boundary knots, linear beyond.

    The columns are the last of Q in the decomposition QR of the second derivatives at the boundary, as in R.
    """
    x = np.asarray(x, dtype=np.float64)
    if not _state:
        bounds = _bounds(x, Boundary_knots, None, None)
        _state["bounds"] = bounds
        _state["knots"] = _inner(x, bounds, knots, None if df is None else df - 1 - intercept)
    inner, bounds, first = _state["knots"], _state["bounds"], 0 if intercept else 1
    ends = np.array(bounds)
    within = np.clip(x, *bounds)
    nearest = np.where(x < ends[0], 0, 1)
    slope = _b_splines(inner, bounds, ends, 3, 1)[nearest] * (x - within)[:, None]
    basis = (_b_splines(inner, bounds, within, 3) + slope)[:, first:]
    curvature = _b_splines(inner, bounds, ends, 3, 2)[:, first:]
    Q = np.linalg.qr(curvature.T, mode="complete")[0]
    return np.asarray(basis @ Q[:, 2:])


def _bounds(
    x: Array, given: Sequence[float] | None, lower: float | None, upper: float | None
) -> tuple[float, float]:
    """The boundary knots: as given, else the range of x."""
    low, high = (x.min(), x.max()) if given is None else sorted(given)
    low, high = low if lower is None else lower, high if upper is None else upper
    if not low < high:
        raise ValueError("a spline needs a covariate that varies, between two boundary knots that differ")
    return float(low), float(high)


def _inner(x: Array, bounds: tuple[float, float], knots: Any, count: int | None) -> Array:
    """The knots within: as given, else at quantiles (R's type 7)."""
    if knots is not None:
        return np.sort(np.atleast_1d(np.asarray(knots, dtype=np.float64)))
    if count is None:
        return np.zeros(0)
    if not 0 <= count < len(x):
        raise ValueError(
            f"df= asks for {count} inner knots; it lies between the basis's own size and the rows"
        )
    inside = x[(x >= bounds[0]) & (x <= bounds[1])]
    return np.asarray(np.quantile(inside, np.linspace(0, 1, count + 2)[1:-1]))


def _b_splines(
    inner: Array, bounds: tuple[float, float], x: Array, degree: int, derivative: int = 0
) -> Array:
    """(len(x), number of B-splines) values or derivatives; outer polynomials go on beyond the bounds."""
    from scipy.interpolate import BSpline

    if not 0 <= degree <= 30 or degree != int(degree):
        raise ValueError(f"degree= is a whole number from 0 to 30, not {degree}")
    t = np.concatenate([np.full(degree + 1, bounds[0]), inner, np.full(degree + 1, bounds[1])])
    t.sort()
    made = BSpline(t, np.eye(len(t) - degree - 1), degree, extrapolate=True)(x, nu=derivative)
    return np.asarray(made, dtype=np.float64)

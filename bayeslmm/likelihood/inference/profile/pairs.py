"""Two profiles at a time: their traces, and contours of likelihood interpolated between them.

On the zeta scale a contour at distance z is (z cos(a + d/2), z cos(a − d/2)). Each profile trace gives its
phases (a, d) at two points, and between the four d is interpolated smoothly (Bates & Watts 1988, section
6.1).
"""

from dataclasses import dataclass
from itertools import combinations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

type Array = NDArray[np.float64]

N_CONTOUR = 120


@dataclass(frozen=True, slots=True, eq=False)
class PairPicture:
    """What is drawn of two parameters.

    Attributes
    ----------
    x, y : their labels. trace_x, trace_y : (m, 2) the best (x, y) with x held, and with y held.
    contours : (m, 2) by probability of the joint χ²₂ region.
    """

    x: str
    y: str
    trace_x: Array
    trace_y: Array
    contours: dict[float, Array]


def pair_pictures(table: pd.DataFrame, labels: list[str], probs: tuple[float, ...]) -> list[PairPicture]:
    """The pictures of all pairs of parameters.

    Parameters
    ----------
    table : of a profile. probs : of the contours.
    """
    return [_picture(table, x, y, probs) for x, y in combinations(labels, 2)]


def _picture(table: pd.DataFrame, x: str, y: str, probs: tuple[float, ...]) -> PairPicture:
    by_x, by_y = (table[table["parameter"] == label] for label in (x, y))
    scale_x, scale_y = _Scale.of(by_x, x), _Scale.of(by_y, y)
    x_trace = np.column_stack([by_x["zeta"], scale_y.zeta(by_x[y].to_numpy())])
    y_trace = np.column_stack([by_y["zeta"], scale_x.zeta(by_y[x].to_numpy())])
    contours = {}
    for prob in probs:
        z = float(np.sqrt(-2 * np.log1p(-prob)))  # χ²₂'s quantile
        ring = _ring(x_trace, y_trace, z)
        contours[prob] = np.column_stack([scale_x.value(ring[:, 0]), scale_y.value(ring[:, 1])])
    return PairPicture(x, y, by_x[[x, y]].to_numpy(), by_y[[x, y]].to_numpy(), contours)


@dataclass(frozen=True, slots=True, eq=False)
class _Scale:
    """A parameter's values and zetas, each a function of the other; NaN outside."""

    values: Array
    zetas: Array

    @classmethod
    def of(cls, curve: pd.DataFrame, label: str) -> "_Scale":
        ordered = curve.sort_values(label).drop_duplicates("zeta")
        return cls(ordered[label].to_numpy(dtype=np.float64), ordered["zeta"].to_numpy(dtype=np.float64))

    def zeta(self, value: Array) -> Array:
        return _smooth(self.values, self.zetas, value)

    def value(self, zeta: Array) -> Array:
        return _smooth(self.zetas, self.values, zeta)


def _smooth(x: Array, y: Array, at: Array) -> Array:
    """Monotone interpolation; NaN outside."""
    from scipy.interpolate import PchipInterpolator

    made: Array = PchipInterpolator(x, y, extrapolate=False)(at)
    return made


def _ring(x_trace: Array, y_trace: Array, z: float) -> Array:
    """(m, 2) zetas of a contour; NaN where the traces don't reach it."""
    from scipy.interpolate import CubicSpline

    phases = np.array(
        [
            _phase(0.0, _angle(x_trace, z, z)),
            _phase(np.pi, _angle(x_trace, -z, z)),
            _phase(_angle(y_trace, z, z), 0.0),
            _phase(_angle(y_trace, -z, z), np.pi),
        ]
    )
    if not np.isfinite(phases).all():
        return np.full((1, 2), np.nan)
    middle, apart = phases[np.argsort(phases[:, 0])].T
    knots, heights = np.append(middle, middle[0] + 2 * np.pi), np.append(apart, apart[0])
    if np.any(np.diff(knots) < 1e-9):
        return np.full((1, 2), np.nan)
    a = np.linspace(knots[0], knots[-1], N_CONTOUR)
    d = CubicSpline(knots, heights, bc_type="periodic")(a)
    return z * np.column_stack([np.cos(a + d / 2), np.cos(a - d / 2)])


def _angle(trace: Array, held: float, z: float) -> float:
    """arccos of the other parameter's zeta over z where the held one's is ±z."""
    ordered = trace[np.argsort(trace[:, 0])]
    inside = ordered[0, 0] <= held <= ordered[-1, 0]
    other = np.interp(held, ordered[:, 0], ordered[:, 1]) if inside else np.nan
    return float(np.arccos(np.clip(other / z, -1.0, 1.0)))


def _phase(of_x: float, of_y: float) -> tuple[float, float]:
    """Mean and difference of two angles, the difference made positive."""
    a, d = 0.5 * (of_x + of_y), of_x - of_y
    return (a, d) if d > 0 else (-a, -d)

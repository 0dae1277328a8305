"""Is there a lower minimum elsewhere? Far points are looked at, and searched from where a ridge lies between.

A criterion may have several minima; none of them knows of the others. Where an evaluation is cheap the bars'
usual starts are scaled by factors from nearly 0 to large, and those points that are low and parted from the
minimum by higher ground are handed to a search. That doesn't prove what is found to be the lowest.
"""

from collections.abc import Callable
from itertools import product

import numpy as np
from numpy.typing import NDArray

from bayeslmm.spec.covariance import Unstructured
from bayeslmm.spec.relative import CovarianceMap, TermSlot

type Array = NDArray[np.float64]
type Values = Callable[[Array], Array]

ONE = (0.0, 0.03, 0.1, 0.25, 0.6, 1.5, 4.0, 10.0, 25.0)  # times the start of a single θ
EACH = (0.0, 0.3, 2.0, 8.0)  # of each of two bars
TOGETHER = (0.01, 0.1, 0.4, 1.5, 8.0)  # of a bar with more, or of several bars at once
HIGH = 12.0  # above the minimum found: a point that high isn't begun from
MOST = 3  # points whose way to the minimum is looked at
LINE = np.array([0.15, 0.35, 0.6, 0.85])  # shares of the way at which its height is asked for


def far_points(covariance: CovarianceMap) -> Array:
    """θ (m, n_theta) at which the bars have their usual start times a factor."""
    slots = covariance.slots
    factors = _factors(covariance.n_theta, len(slots))
    out = np.empty((len(factors), covariance.n_theta))
    for slot, own in zip(slots, factors.T, strict=True):
        out[:, slot.theta] = _scaled(slot, own)
    return out


def _factors(n_theta: int, n_slots: int) -> Array:
    """(m, n_slots) of each bar."""
    if n_theta == 1:
        return np.array(ONE)[:, None]
    if n_slots == 2:
        return np.array(list(product(EACH, repeat=2)))
    return np.repeat(np.array(TOGETHER)[:, None], n_slots, axis=1)


def _scaled(slot: TermSlot, factors: Array) -> Array:
    """θ (m, n_params) of these factors (m,) times the Λ of a bar's start."""
    if slot.structure.linear:
        return factors[:, None] * slot.start
    start = slot.structure.factor(slot.start)
    return np.array([slot.structure.parameters(factor * start) for factor in factors])


def turned(covariance: CovarianceMap, theta: Array) -> list[Array]:
    """θ with the axes of an unstructured covariance turned, two coefs at a time, by eighths of a circle.

    In coordinates in which columns of Z are orthonormal. A covariance that has lost a rank can have lost
    another one as well.
    """
    out = []
    for slot in covariance.slots:
        if not isinstance(slot.structure, Unstructured):
            continue
        root = slot.root
        factor = np.linalg.solve(root, slot.structure.factor(theta[slot.theta]))
        for pair, angle in product(slot.structure.pairs, np.pi * np.array([0.25, 0.5, 0.75])):
            point = theta.copy()
            point[slot.theta] = slot.structure.parameters(root @ _rotation(len(root), pair, angle) @ factor)
            out.append(point)
    return out


def _rotation(k: int, pair: tuple[int, int], angle: float) -> Array:
    out = np.eye(k)
    cos, sin = np.cos(angle), np.sin(angle)
    out[np.ix_(pair, pair)] = [[cos, -sin], [sin, cos]]
    return out


def beyond_a_ridge(values: Values, points: Array, x: Array, least: float) -> Array:
    """Points (·, n) to search from: low, and with higher ground on the straight way to the minimum at x.

    Parameters
    ----------
    values : of the criterion at points (m, n). points : to look at. least : the minimum, found at x.
    """
    heights = values(points)
    lowest = np.argsort(heights, kind="stable")[:MOST]
    low = lowest[heights[lowest] < least + HIGH]
    if not len(low):
        return points[:0]
    ways = points[low, None] + LINE[:, None] * (x - points[low, None])
    on_the_way = values(ways.reshape(-1, len(x))).reshape(len(low), len(LINE))
    parted = (on_the_way > heights[low, None] + 1e-6).any(axis=1)
    return np.asarray(points[low[parted | (heights[low] < least)]])

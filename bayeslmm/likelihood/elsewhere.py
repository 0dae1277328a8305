"""Is there a lower minimum elsewhere? Far points are looked at, and searched from where a ridge lies between.

A criterion may have several minima; none of them knows of the others. Where an evaluation is cheap the bars'
usual starts are scaled by factors from nearly 0 to large, and those points that are low and parted from the
minimum by higher ground are handed to a search. That doesn't prove what is found to be the lowest.
"""

from collections.abc import Callable
from itertools import product

import numpy as np
from numpy.typing import NDArray

from bayeslmm.spec.covariance import CovarianceStructure, Unstructured
from bayeslmm.spec.relative import CovarianceMap

type Array = NDArray[np.float64]
type Value = Callable[[Array], float]

ONE = (0.0, 0.03, 0.1, 0.25, 0.6, 1.5, 4.0, 10.0, 25.0)  # times the start of a single θ
EACH = (0.0, 0.3, 2.0, 8.0)  # of each of two bars
TOGETHER = (0.01, 0.1, 0.4, 1.5, 8.0)  # of a bar with more, or of several bars at once
HIGH = 12.0  # above the minimum found: a point that high isn't begun from
MOST = 3  # points whose way to the minimum is looked at
LINE = (0.15, 0.35, 0.6, 0.85)


def far_points(covariance: CovarianceMap) -> list[Array]:
    """θ (n_theta,) at which the bars have their usual start times a factor."""
    slots = covariance.slots
    if covariance.n_theta == 1:
        combinations: list[tuple[float, ...]] = [(factor,) for factor in ONE]
    elif len(slots) == 2:
        combinations = list(product(EACH, repeat=2))
    else:
        combinations = [(factor,) * len(slots) for factor in TOGETHER]
    starts = [slot.structure.start(slot.gram) for slot in slots]
    out = []
    for factors in combinations:
        theta = np.empty(covariance.n_theta)
        for slot, start, factor in zip(slots, starts, factors, strict=True):
            theta[slot.theta] = _scaled(slot.structure, start, factor)
        out.append(theta)
    return out


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


def _scaled(structure: CovarianceStructure, theta: Array, factor: float) -> Array:
    """θ of `factor` times Λ."""
    if structure.linear:
        return factor * theta
    return structure.parameters(factor * structure.factor(theta))


def beyond_a_ridge(value: Value, points: list[Array], theta: Array, least: float) -> list[Array]:
    """Points to search from: low, and with higher ground on the straight way to the minimum at θ.

    Parameters
    ----------
    value : of the criterion at a θ. points : to look at. least : the minimum, found at θ.
    """
    seen = sorted(((value(each), each) for each in points), key=lambda pair: pair[0])
    low = [(height, each) for height, each in seen[:MOST] if height < least + HIGH]
    return [each for height, each in low if height < least or _parted(value, each, height, theta)]


def _parted(value: Value, point: Array, height: float, theta: Array) -> bool:
    """Does the criterion rise between a point and the minimum?"""
    return any(value(point + share * (theta - point)) > height + 1e-6 for share in LINE)

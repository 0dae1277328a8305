"""Is there a lower minimum elsewhere? Far points are looked at, and searched from where a ridge lies between.

A criterion may have several minima; none of them knows of the others. Where an evaluation is cheap the usual
starts of bars, and of coefs that are independent, are scaled by factors from nearly 0 to large, and those
points that are low and parted from the minimum by higher ground are handed to a search. That doesn't prove
what is found to be the lowest.
"""

from collections.abc import Callable
from itertools import chain, combinations, product

import numpy as np
from numpy.typing import NDArray

from bayeslmm.spec.covariance import Unstructured
from bayeslmm.spec.covariance.algebra import contribution
from bayeslmm.spec.relative import CovarianceMap
from bayeslmm.spec.term_slot import TermSlot

type Array = NDArray[np.float64]
type Values = Callable[[Array], Array]

ONE = np.array([[0.0, 0.03, 0.1, 0.25, 0.6, 1.5, 4.0, 10.0, 25.0]]).T  # times the start of a single θ
EACH = np.array(list(product((0.0, 0.3, 2.0, 8.0), repeat=2)))  # of each of two bars
TOGETHER = np.array([[0.01, 0.1, 0.4, 1.5, 8.0]]).T  # of a bar with more, or of several bars at once
ONE_APART = (0.0, 8.0)  # of one of several bars, the others as usual
SIZES = np.array([0.0, 0.1, 0.5, 2.0, 8.0, 40.0, 400.0, 6000.0])  # of each bar where evaluations cost little
ALONE = np.concatenate([[0.0], np.geomspace(0.03, 1e4, 24)])  # the same of a single θ
ANGLES = (0.0, 0.25, 0.5, 0.75)  # of π: axes of a covariance that has one direction only, two coefs at a time
ONE_DIRECTION = (0.5, 8.0, 100.0)  # its sizes
REACH = 8.0  # size of a bar, times its start, that far points have at most
HIGH = 12.0  # above the minimum found: a point that high isn't begun from
MANY = 520  # combinations looked at
MOST = 3  # points whose way to the minimum is looked at
BEGUN = 10  # points begun from where a search costs next to nothing
NEIGHBOURS = 0.3  # how near points are of which one is enough
LINE = np.array([0.15, 0.35, 0.6, 0.85])  # shares of the way at which its height is asked for


def far_points(covariance: CovarianceMap) -> Array:
    """θ (m, n_theta) at which the bars, or independent coefs, have their usual start times a factor."""
    apart = [slot.apart for slot in covariance.slots]
    factors = _factors(covariance.n_theta, [len(each) for each in apart])
    out = np.empty((len(factors), covariance.n_theta))
    for slot, own in zip(chain.from_iterable(apart), factors.T, strict=True):
        out[:, slot.theta] = _scaled(slot, own)
    return out


def _factors(n_theta: int, sizes: list[int]) -> Array:
    """(m, n) of each part, of bars that have so many."""
    n = sum(sizes)
    if n_theta == 1:
        return ONE
    if n == 2:
        return EACH
    of_bars = [EACH.repeat(sizes, axis=1)] if len(sizes) == 2 else []
    one_apart = [np.where(np.eye(n, dtype=bool), factor, 1.0) for factor in ONE_APART if n > 1]
    return np.vstack([TOGETHER.repeat(n, axis=1), *of_bars, *one_apart])


def _scaled(slot: TermSlot, factors: Array) -> Array:
    """θ (m, n_params) of these factors (m,) times the Λ of a bar's start."""
    if slot.structure.linear:
        return factors[:, None] * slot.start
    start = slot.structure.factor(slot.start)
    return np.array([slot.structure.parameters(factor * start) for factor in factors])


def many_points(covariance: CovarianceMap) -> Array:
    """θ (m, n_theta) of every combination of the bars' sizes and single directions."""
    if covariance.n_theta == 1:
        return np.concatenate([_scaled(slot, ALONE) for slot in covariance.slots])
    parts = [part for slot in covariance.slots for part in slot.apart]
    choices = [_shapes(part) for part in parts]
    if np.prod([len(each) for each in choices]) > MANY:
        choices = [each[:4] for each in choices]
    if np.prod([len(each) for each in choices]) > MANY:
        return far_points(covariance)
    chosen = np.indices([len(each) for each in choices]).reshape(len(choices), -1)
    out = np.empty((chosen.shape[1], covariance.n_theta))
    for part, shapes, own in zip(parts, choices, chosen, strict=True):
        out[:, part.theta] = shapes[own]
    return out


def _shapes(slot: TermSlot) -> Array:
    """θ (m, n_params) of a bar: its start times many sizes, and covariances of one direction."""
    root, k = slot.root, len(slot.root)
    axes = [
        root @ _rotation(k, pair, np.pi * angle)[:, [pair[0]]]
        for pair, angle in product(combinations(range(k), 2), ANGLES)
    ]
    wide = [np.pad(axis, ((0, 0), (0, k - 1))) for axis in axes]
    single = [slot.structure.parameters(size * axis) for axis in wide for size in ONE_DIRECTION]
    return np.vstack([_scaled(slot, SIZES), *single])


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


def mirrored(covariance: CovarianceMap, theta: Array) -> list[Array]:
    """θ with the sign of one coef's effects changed, of bars that are larger than far points.

    Where the fixed part lacks a coef, its mean lies in T: as a share of the other coefs' effects that may
    have either sign. Far points say nothing of that where effects are far larger.
    """
    out = []
    for slot in covariance.slots:
        factor = slot.structure.factor(theta[slot.theta])
        if not slot.pairs or contribution(factor, slot.gram) <= REACH:
            continue
        for coef in range(1, slot.structure.k):
            point, mirror = theta.copy(), factor.copy()
            mirror[coef] *= -1
            point[slot.theta] = slot.structure.parameters(mirror)
            out.append(point)
    return out


def _rotation(k: int, pair: tuple[int, int], angle: float) -> Array:
    out = np.eye(k)
    cos, sin = np.cos(angle), np.sin(angle)
    out[np.ix_(pair, pair)] = [[cos, -sin], [sin, cos]]
    return out


def beyond_a_ridge(
    values: Values, points: Array, x: Array, least: float, most: int = MOST, high: float = HIGH
) -> Array:
    """Points (·, n) to search from: low, and with higher ground on the straight way to the minimum at x.

    Parameters
    ----------
    values : of the criterion at points (m, n). points : to look at, `most` of them, and none that is as
        `high` above the minimum. least : the minimum, found at x.
    """
    heights = values(points)
    lowest = np.argsort(heights, kind="stable")[:most]
    low = lowest[heights[lowest] < least + high]
    if not len(low):
        return points[:0]
    ways = points[low, None] + LINE[:, None] * (x - points[low, None])
    on_the_way = values(ways.reshape(-1, len(x))).reshape(len(low), len(LINE))
    parted = (on_the_way > heights[low, None] + 1e-6).any(axis=1)
    return np.asarray(points[low[parted | (heights[low] < least)]])


def spread_out(values: Values, points: Array, place: Callable[[Array], Array]) -> list[Array]:
    """Points (n,) to search from: the lowest, then the lowest that is no neighbour of those, and so on."""
    heights = values(points)
    places: list[Array] = []
    found: list[Array] = []
    for number in np.argsort(heights, kind="stable"):
        if len(found) == BEGUN or not np.isfinite(heights[number]):
            break
        here = place(points[number])
        if all(np.linalg.norm(here - other) > NEIGHBOURS for other in places):
            places.append(here)
            found.append(points[number])
    return found


def place_of(covariance: CovarianceMap, theta: Array) -> Array:
    """T(G⁻¹ + T)⁻¹ of every bar, flat: where a θ is, all of its range being of size 1."""
    shares = []
    for slot in covariance.slots:
        relative = np.linalg.solve(slot.root, slot.structure.factor(theta[slot.theta]))
        left, sizes, _ = np.linalg.svd(relative)
        shares.append((left * (sizes**2 / (1 + sizes**2)) @ left.T).ravel())
    return np.concatenate(shares)

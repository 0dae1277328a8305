"""Boundaries of covariances: what is near one, put there exactly, and the criterion on the ways off it."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from bayeslmm.kernel.search.optimizer import Outcome
from bayeslmm.likelihood.criterion import Criterion
from bayeslmm.spec.coordinates import Coordinates
from bayeslmm.spec.covariance import Path, lower_factor
from bayeslmm.spec.relative import CovarianceMap, flatten
from bayeslmm.spec.term_slot import TermSlot

type Array = NDArray[np.float64]

SMALL = 1e-3  # root mean square contribution, relative to σ, below which a direction may have vanished
NEAR = (10 * SMALL) ** 2  # mean square contribution of a direction that may be as small
LOST = 1e-12  # of the largest mean square contribution: a direction that others leave no digits
NUDGE = 1e-4  # size of the step inside the boundary at which the derivative in T is taken


@dataclass(frozen=True, slots=True)
class Vanished:
    """A boundary that one term's covariance lies on at the optimum.

    Attributes
    ----------
    group : grouping factor. coefs : of the term. what : the boundary in words, "no variance along 1·Days".
    slope : derivative of the criterion in T on the way off it, by the steepest; not negative at an optimum.
    """

    group: str
    coefs: tuple[str, ...]
    what: str
    slope: float

    def __str__(self) -> str:
        return f"{self.group}: {self.what} (slope {self.slope:.3g})"


class WayOff(NamedTuple):
    """A boundary, and the steepest way off it: a path of the factor of one bar."""

    vanished: Vanished
    slot: TermSlot
    path: Path

    def step(self, coordinates: Coordinates, x: Array) -> Array:
        """x a step along the path."""
        away = x.copy()
        inside = lower_factor(self.path(0.1)[0])
        coordinates.theta(away)[self.slot.theta] = self.slot.structure.parameters(inside)
        return away


def near_boundary(covariance: CovarianceMap, theta: Array) -> NDArray[np.bool_]:
    """Which of m θ (m, n_theta) have a direction about as small as one that may have vanished."""
    near, lam = np.zeros(len(theta), dtype=bool), covariance.flat(theta)
    for slot in covariance.slots:
        k, offset = covariance.sizes[slot.block], covariance.offsets[slot.block]
        factors = lam[:, offset : offset + k * k].reshape(-1, k, k)[:, slot.coefs, slot.coefs]
        sizes = np.linalg.eigvalsh(factors.transpose(0, 2, 1) @ slot.gram @ factors)
        near |= sizes[:, 0] < np.maximum(NEAR, LOST * sizes[:, -1])
    return near


def cleared(criterion: Criterion, outcome: Outcome) -> Outcome:
    """Put what is near its boundary exactly there where that doesn't raise the criterion."""
    noise = 1e-12 * max(1.0, abs(outcome.value))
    for slot in criterion.covariance.slots:
        own = criterion.coordinates.theta(outcome.x)[slot.theta]
        for clear in slot.structure.without_small(own, slot.gram, SMALL):
            x = outcome.x.copy()
            criterion.coordinates.theta(x)[slot.theta] = clear(criterion.coordinates.theta(x)[slot.theta])
            value, gradient = criterion(x)
            if value <= outcome.value + noise:
                outcome = replace(outcome, x=x, value=value, gradient=gradient)
    return outcome


def ways_off(criterion: Criterion, x: Array) -> Iterator[WayOff]:
    """Every boundary that x lies on, with the criterion's derivative in T along the steepest way off it."""
    covariance, theta = criterion.covariance, criterion.coordinates.theta(x)
    for slot in covariance.slots:
        group, coefs = covariance.groups[slot.block], covariance.coefs[slot.block][slot.coefs]
        for departure in slot.structure.vanished(theta[slot.theta], slot.gram, coefs):
            slopes = [_slope(criterion, x, slot, path) for path in departure.paths]
            steepest = int(np.argmin(slopes))
            vanished = Vanished(group, coefs, departure.what, slopes[steepest])
            yield WayOff(vanished, slot, departure.paths[steepest])


def _slope(criterion: Criterion, x: Array, slot: TermSlot, path: Path) -> float:
    """d criterion / d δ², a small δ along a path of the bar's factor."""
    factors = [factor.copy() for factor in criterion.covariance.factors(criterion.coordinates.theta(x))]
    moves = [np.zeros_like(factor) for factor in factors]
    factors[slot.block][slot.coefs, slot.coefs], moves[slot.block][slot.coefs, slot.coefs] = path(NUDGE)
    _, gradient = criterion.at(flatten(factors), criterion.coordinates.phi(x))
    return float(gradient @ flatten(moves)) / (2 * NUDGE)

"""What many posteriors come to: means, sds and limits by estimand, and what these are worth."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from bayeslmm.posterior.methods.importance import PARETO_K

type Array = NDArray[np.float64]

WINDOWS = 100  # places at which the shortest interval is looked for
BOTTOM = 0.5  # of the way from a curve's lowest point to its median that counts as its bottom
FEWEST = 100.0  # effective points without which limits mean nothing


class OnePosterior(NamedTuple):
    """Summaries of one posterior: mean, sd (L,), eti, hdi (L, 2), effective number of points, Pareto's k."""

    mean: Array
    sd: Array
    eti: Array
    hdi: Array
    effective: float
    pareto_k: float


@dataclass(frozen=True, eq=False)
class PosteriorArrays:
    """Summaries of m posteriors.

    Attributes
    ----------
    labels : (L,) of the parameters. prob : of the intervals.
    mean, sd : (m, L). eti, hdi : (m, L, 2) lower and upper limits.
    effective, pareto_k : (m,) what the weighted points behind each are worth.
    """

    labels: tuple[str, ...]
    prob: float
    mean: Array
    sd: Array
    eti: Array
    hdi: Array
    effective: Array
    pareto_k: Array

    @classmethod
    def of(cls, labels: tuple[str, ...], prob: float, each: list[OnePosterior]) -> "PosteriorArrays":
        """Stack single posteriors."""
        return cls(labels, prob, *(np.array(part) for part in zip(*each, strict=True)))

    @property
    def failed(self) -> NDArray[np.bool_]:
        """(m,) where the weights have no usable mean, or too few points carry them."""
        return ~((self.pareto_k < PARETO_K) & (self.effective > FEWEST))


def weighted_limits(values: Array, weights: Array, prob: float) -> tuple[Array, Array]:
    """Equal-tailed limits and those of the shortest interval, (L, 2) each.

    Parameters
    ----------
    values : (n, L). weights : (n,) or (n, L), of each value.
    """
    order = np.argsort(values, axis=0)
    ordered = np.take_along_axis(values, order, axis=0)
    weights = np.broadcast_to(weights.reshape(len(weights), -1), values.shape)
    mass = np.take_along_axis(weights, order, axis=0)
    below = np.cumsum(mass, axis=0) - 0.5 * mass
    columns = [_limits(*each, prob) for each in zip(ordered.T, (below / mass.sum(axis=0)).T, strict=True)]
    eti, hdi = (np.array(part).reshape(-1, 2) for part in zip(*columns, strict=True))
    return eti, hdi


def _limits(values: Array, below: Array, prob: float) -> tuple[Array, Array]:
    """Both intervals from ordered values and their distribution function."""
    tail = 1 - prob
    starts = np.linspace(0.01 * tail, 0.99 * tail, WINDOWS)
    shortest = _lowest(starts, np.diff(np.interp([starts, starts + prob], below, values), axis=0)[0])
    ends = np.interp(np.array([[tail / 2, shortest], [tail / 2 + prob, shortest + prob]]), below, values)
    return ends[:, 0], ends[:, 1]


def _lowest(starts: Array, widths: Array) -> float:
    """Where a noisy curve is lowest: of the parabola through its bottom."""
    low = int(np.argmin(widths))
    near = widths <= widths[low] + BOTTOM * (np.median(widths) - widths[low])
    a, b, _ = np.polyfit(starts[near] - starts[low], widths[near], 2) if near.sum() > 3 else (0.0, 0.0, 0.0)
    lowest = starts[low] - b / (2 * a) if a > 0 else starts[low]
    return float(np.clip(lowest, starts[near][0], starts[near][-1]))

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
    columns = list(zip((below / mass.sum(axis=0)).T, ordered.T, strict=True))
    tail = 1 - prob
    starts = np.linspace(0.01 * tail, 0.99 * tail, WINDOWS)
    widths = [np.diff(np.interp([starts, starts + prob], *each), axis=0)[0] for each in columns]
    shortest = _lowest(starts, np.reshape(widths, (-1, WINDOWS)))
    ends = [
        np.interp([[0.5 * tail, 0.5 * tail + prob], [start, start + prob]], *each)
        for start, each in zip(shortest, columns, strict=True)
    ]
    eti, hdi = np.reshape(ends, (-1, 2, 2)).transpose(1, 0, 2)
    return eti, hdi


def _lowest(starts: Array, widths: Array) -> Array:
    """Where each of noisy curves (L, WINDOWS) is lowest: of the parabola through its bottom, (L,)."""
    low, least = widths.argmin(axis=1), widths.min(axis=1)[:, None]
    near = widths <= least + BOTTOM * (np.median(widths, axis=1)[:, None] - least)
    enough, span = near.sum(axis=1) > 3, starts[-1] - starts[0]
    powers = near[..., None] * ((starts - starts[low][:, None]) / span)[..., None] ** np.arange(3)
    squares = np.where(enough[:, None, None], powers.transpose(0, 2, 1) @ powers, np.eye(3))
    _, b, a = np.linalg.solve(squares, np.einsum("lwk,lw->lk", powers, widths)[..., None])[..., 0].T
    curved = enough & (a > 0)
    lowest = starts[low] - span * np.where(curved, b, 0.0) / (2 * np.where(curved, a, 1.0))
    last = WINDOWS - 1 - near[:, ::-1].argmax(axis=1)
    return np.asarray(np.clip(lowest, starts[near.argmax(axis=1)], starts[last]))

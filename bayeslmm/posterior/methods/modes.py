"""The modes of a posterior: one mode is a hypothesis.

A prior in conflict with the data makes two modes: little residual and a standard deviation the prior thinks
impossible, or the standard deviation the prior wants and a residual that takes in what it can't explain. They
differ in θ, sd over σ. So the density is scanned over patterns of log θ, each at its best common scale, and a
search starts from every pattern that is higher than its neighbours.
"""

from dataclasses import dataclass
from functools import cache, cached_property, partial

import numpy as np
from numpy.typing import NDArray

from bayeslmm.posterior.methods.laplace import LaplaceFit, laplace
from bayeslmm.posterior.target import Target

type Array = NDArray[np.float64]

WIDEST = 10.0  # of log θ about the value at which coefs and residual add alike to y
SCALES = np.linspace(-7.0, 9.0, 33)  # of a pattern, on the log scale, about the data's own
PATTERNS = {0: 1, 1: 41}  # by number of sds; of more of them `MANY`
MANY = 128
SCALES_WHERE_DEAR = np.linspace(-1.0, 2.0, 5)
PATTERNS_WHERE_DEAR = 8  # times the number of sds
STARTS = 6  # searches besides the one from the usual start
ALONG = np.linspace(0.0, 1.0, 12)  # of the way from a point to a mode
FAR = 12.0  # what stands for infinity on that way
NOISE = 1e-11  # of a log density, relative to its size
APART = 0.5  # posterior sds between modes that are two
NEGLIGIBLE = 15.0  # log mass below the largest at which a mode is dropped


@dataclass(frozen=True, eq=False)
class Scan:
    """The log density at patterns of log θ by common scales.

    Attributes
    ----------
    target : of which. offsets : (m, K) of each log sd. scales : (s,) added to every log sd and to log σ.
    """

    target: Target
    offsets: Array
    scales: Array

    @classmethod
    def of(cls, target: Target) -> "Scan":
        """Over as many points as are cheap."""
        small, k = target.design.kernel.small, len(target.log_sds)
        m = PATTERNS.get(k, MANY) if small else PATTERNS_WHERE_DEAR * k + 1
        scales = SCALES if small else SCALES_WHERE_DEAR
        return cls(target, _spread_out(m, k), scales if target.design.residual.sigma_free else np.zeros(1))

    @cached_property
    def patterns(self) -> Array:
        """(m, d) at the data's own scale; correlations are 0 and β is least squares."""
        phi = np.tile(self.target.start(), (len(self.offsets), 1))
        phi[:, self.target.log_sds] += self.offsets
        return phi

    @cached_property
    def points(self) -> Array:
        """(m·s, d), scale fastest."""
        scaled = self.target.scaled(self.patterns, self.scales)
        return scaled.reshape(len(self.offsets) * len(self.scales), self.target.size)

    @cached_property
    def log_density(self) -> Array:
        """At the points, (m·s,)."""
        return self.target.by_scale(self.patterns, self.scales).ravel()

    @property
    def log_cell(self) -> float:
        """Logarithm of the volume in (log σ, log sd) that each point stands for."""
        step = float(self.scales[1] - self.scales[0]) if len(self.scales) > 1 else 1.0
        m, k = self.offsets.shape
        return float(k * np.log(2 * WIDEST) - np.log(m) + np.log(step))

    def starts(self) -> Array:
        """Patterns that are higher than their neighbours, highest first, (·, d)."""
        m, k = self.offsets.shape
        values = self.log_density.reshape(m, -1)
        best = values.max(axis=1)
        peaks = np.flatnonzero(best >= best[_neighbours(m, k)].max(axis=1))
        peaks = peaks[np.argsort(-best[peaks])][:STARTS]
        return np.asarray(self.points[peaks * len(self.scales) + values[peaks].argmax(axis=1)])


def modes(target: Target, scan: Scan) -> tuple[LaplaceFit, ...]:
    """Every mode found that holds mass, the one from the usual start first; at least one."""
    usual = laplace(target)
    if target.size == 0:
        return (usual,)
    found = [usual]
    for start in scan.starts():
        if not any(rises_to(target, start, fit.mode) for fit in found if fit.converged):
            found = with_mode(found, laplace(target, start, until=partial(_is_known, found)))
    proper = [fit for fit in found if fit.converged] or [usual]
    most = max(fit.log_mass for fit in proper)
    return tuple(fit for fit in proper if fit.log_mass > most - NEGLIGIBLE) or (usual,)


def rises_to(target: Target, start: Array, mode: Array) -> bool:
    """Whether the density never falls on the straight way from a point to a mode: they are one hill."""
    middle = target.start()
    ends = [np.clip(point, middle - FAR, middle + FAR) for point in (start, mode)]
    values = target.finite(ends[0] + ALONG[:, None] * (ends[1] - ends[0]))
    return bool(np.isfinite(values[0]) and np.all(np.diff(values) >= -NOISE * np.abs(values[-1])))


def _is_known(found: list[LaplaceFit], phi: Array) -> bool:
    """Whether a search at φ has come to a mode that was found before."""
    return any(fit.distance(phi) < APART for fit in found if fit.converged)


def with_mode(found: list[LaplaceFit], fit: LaplaceFit) -> list[LaplaceFit]:
    """The modes with another one, where it is proper and none of them."""
    known = any(min(old.distance(fit.mode), fit.distance(old.mode)) < APART for old in found if old.converged)
    return found if known or not fit.converged else [*found, fit]


@cache
def _neighbours(m: int, k: int) -> NDArray[np.intp]:
    """Of m patterns of k log θ each one's nearest, itself first, (m, 2k + 1)."""
    patterns = _spread_out(m, k)
    apart = np.linalg.norm(patterns[:, None] - patterns, axis=2)
    return np.argsort(apart, axis=1)[:, : 2 * k + 1]


@cache
def _spread_out(m: int, k: int) -> Array:
    """m patterns of k log θ, evenly over the cube: a grid of one, a Halton sequence of more."""
    from scipy.stats import qmc

    if k < 2:
        return np.repeat(np.linspace(-WIDEST, WIDEST, m)[:, None], k, axis=1)
    return np.asarray(WIDEST * (2 * qmc.Halton(k, scramble=False).random(m + 1)[1:] - 1))

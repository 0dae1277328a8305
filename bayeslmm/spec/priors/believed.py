"""The density of R's parameters under their priors, in natural values, and what φ adds to it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bayeslmm.spec.residual.structure import STEP, Part

from .base import Prior
from .lkj import LKJ

type Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Believed:
    """R's parameters and their priors.

    Attributes
    ----------
    parts : of R, in the order of φ. table : priors by label, of those that are believed.
    """

    parts: Sequence[Part[Any]]
    table: Mapping[str, Prior]

    def log_density(self, phi: Array, sigma: Array) -> Array:
        """Log density (m,) of natural values at φ (m, n_phi) and σ (m,)."""
        return self._summed(phi, sigma, _log_density)

    def log_volume(self, phi: Array, sigma: Array) -> Array:
        """log of the volume element of natural values over φ, (m,)."""
        return self._summed(phi, sigma, lambda part, _, own, size: _log_volume(part, own, size))

    def draw(self, generator: np.random.Generator, sigma: Array) -> Array:
        """φ (m, n_phi) drawn from the priors, at σ (m,)."""
        m, columns = len(sigma), [np.zeros((len(sigma), 0))]
        for part, priors in self._strata():
            columns.append(_drawn(part, priors, generator, sigma if part.structure.absolute else np.ones(m)))
        return np.hstack(columns)

    def _strata(self) -> Iterator[tuple[Part[Any], list[Prior]]]:
        """Each stratum of each part that has parameters, with its priors."""
        for part in self.parts:
            yield from ((part, [self.table[slot.label] for slot in own]) for own in part.slots())

    def _summed(self, phi: Array, sigma: Array, one: Any) -> Array:
        total, first = np.zeros(len(phi)), 0
        for part, priors in self._strata():
            own = phi[:, first : (first := first + part.width)]
            total += one(part, priors, own, sigma if part.structure.absolute else np.ones(len(phi)))
        return total


def _log_density(part: Part[Any], priors: list[Prior], phi: Array, size: Array) -> Array:
    """(m,) of one stratum; natural values are multiples of a size (m,)."""
    if part.joint is not None:
        (prior,) = priors
        if not isinstance(prior, LKJ):
            return np.zeros(len(phi))
        return part.joint.log_density(prior.eta, phi) - part.joint.log_volume(phi)
    natural = size * part.structure.natural(phi.T, part.learnt)
    logs = [prior.logpdf(values) for prior, values in zip(priors, natural, strict=True)]
    return np.sum(logs, axis=0)


def _drawn(part: Part[Any], priors: list[Prior], generator: np.random.Generator, size: Array) -> Array:
    """φ (m, width) of one stratum."""
    m = len(size)
    if part.joint is None:
        natural = np.array([prior.draw(generator, m) for prior in priors]).T / size[:, None]
    else:
        (prior,) = priors
        shapes = part.joint.shapes(prior.eta if isinstance(prior, LKJ) else 1.0)
        z = 2 * generator.beta(shapes, shapes, (m, len(shapes))) - 1
        natural = np.array(part.joint.natural(list(z.T))).T
    return np.array([part.structure.free(each, part.learnt) for each in natural])


def _log_volume(part: Part[Any], phi: Array, size: Array) -> Array:
    """(m,) of one stratum; −∞ so far out that natural values stand still."""
    if part.joint is not None:
        return part.joint.log_volume(phi)
    moved = np.imag(part.structure.natural(phi.T + 1j * STEP, part.learnt)) / STEP
    with np.errstate(divide="ignore"):
        return np.asarray(np.log(np.abs(size * moved)).sum(axis=0))

"""Both sides at several points, and how far they are apart."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from bayeslmm.parity.anybody.quadratic import Array, Ours, Quadratic
from bayeslmm.parity.certificate.line import deviation

SAME = 1e-7  # relative, of precisions and means
SAME_DENSITY = 1e-8  # of a log density


@dataclass(frozen=True, eq=False)
class Evidence:
    """Their quadratics beside ours.

    Attributes
    ----------
    ours : the model. theirs : what they say at each point. missing : labels that nothing of theirs means.
    unnamed : variables of theirs that mean nothing of ours, among their effects.
    """

    ours: Ours
    theirs: Sequence[Quadratic]
    missing: tuple[str, ...]
    unnamed: tuple[str, ...]

    @property
    def labels(self) -> tuple[str, ...]:
        """The effects compared."""
        return self.theirs[0].labels

    @cached_property
    def own(self) -> list[Quadratic]:
        """The model at the same points."""
        return [self.ours.at(each.natural, each.labels) for each in self.theirs]

    @cached_property
    def is_beta(self) -> NDArray[np.bool_]:
        """(m,) which of the effects are fixed."""
        return np.array([label.startswith("beta[") for label in self.labels], dtype=bool)

    @cached_property
    def precision_off(self) -> float:
        """Largest difference of the precisions, of the geometric mean of their diagonals."""
        return max(relative(a.precision, b.precision) for a, b in self._pairs)

    @cached_property
    def mean_off(self) -> float:
        """Largest difference of the means, in the larger of conditional sd and size."""
        return max(_mean_off(a, b) for a, b in self._pairs)

    @cached_property
    def remainders(self) -> Array:
        """(points,) their log integral less ours."""
        return np.array([a.logp - b.logp for a, b in self._pairs])

    @cached_property
    def density_off(self) -> float:
        """Largest difference of the log integrals, relative where they are large."""
        return max(deviation(a.logp, b.logp) for a, b in self._pairs)

    @cached_property
    def data_grams(self) -> list[Array]:
        """σ²(P − K), what is left of their precision without our prior of b: CᵀWC, where that is right."""
        return [
            a.natural["sigma"] ** 2 * (a.precision - self._within(self.ours.prior(a.natural)))
            for a in self.theirs
        ]

    @cached_property
    def data_gram(self) -> Array:
        """CᵀWC of the model."""
        return self._within(self.ours.data_gram)

    @cached_property
    def differs_in_data(self) -> bool:
        """Whether their precision is that of other data under the same prior of b."""
        first = self.data_grams[0]
        return bool(np.all(np.diag(first) > 0)) and all(
            relative(each, first) < 10 * SAME for each in self.data_grams[1:]
        )

    def is_whole(self) -> bool:
        """Whether every effect that varies is named on both sides."""
        return not self.unnamed

    def within(self, matrix: Array) -> Array:
        """Of all effects (p + q, p + q), those compared."""
        return self._within(matrix)

    def _within(self, matrix: Array) -> Array:
        places = self.ours.places(self.labels)
        return np.asarray(matrix[np.ix_(places, places)])

    @property
    def _pairs(self) -> list[tuple[Quadratic, Quadratic]]:
        return list(zip(self.theirs, self.own, strict=True))


def relative(one: Array, other: Array) -> float:
    """Largest difference of two symmetric matrices, of the geometric mean of the other's diagonal."""
    scale = np.sqrt(np.abs(np.diag(other)))
    size = np.where(scale > 0, scale, 1.0)
    return float(np.max(np.abs(one - other) / np.outer(size, size), initial=0.0))


def _mean_off(one: Quadratic, other: Quadratic) -> float:
    sd = np.sqrt(np.diag(np.linalg.inv(other.precision))) if len(other.precision) else np.zeros(0)
    return float(np.max(np.abs(one.mean - other.mean) / np.maximum(sd, np.abs(other.mean)), initial=0.0))

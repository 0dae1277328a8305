"""Independent coefs: each with its own variance, or all with one."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import ClassVar

import numpy as np
from numpy.typing import ArrayLike

from .algebra import contribution, inverse_root
from .base import Array, Clearing, CovarianceStructure, Departure, along, straight
from .correlation import Independent


@dataclass(frozen=True)
class Uncorrelated(CovarianceStructure):
    """Independent coefs: θ holds relative standard deviations, of either sign."""

    linear: ClassVar[bool] = True

    @property
    def lower(self) -> Array:
        return np.zeros(self.n_params)

    def normalize(self, theta: ArrayLike) -> Array:
        return np.abs(np.asarray(theta, dtype=float))

    @property
    def pairs(self) -> tuple[tuple[int, int], ...]:
        return ()

    @property
    def correlation(self) -> Independent:
        return Independent(self.k)

    def correlation_root(self, cor: ArrayLike) -> Array:
        return np.eye(self.k)


@dataclass(frozen=True)
class Diagonal(Uncorrelated):
    """Independent coefs, each with its own variance: θ is the diagonal of Λ."""

    keyword: ClassVar[str] = "diag"
    separable: ClassVar[bool] = True

    @property
    def n_params(self) -> int:
        return self.k

    def factor(self, theta: ArrayLike) -> Array:
        return np.diag(np.asarray(theta, dtype=float))

    def derivative(self, theta: ArrayLike) -> Array:
        index = np.arange(self.k)
        out = np.zeros((self.k, self.k, self.k))
        out[index, index, index] = 1.0
        return out

    def parameters(self, factor: ArrayLike) -> Array:
        F = np.asarray(factor, dtype=float)
        own = np.diag(F)
        return own.copy() if np.array_equal(F, np.diag(own)) else np.sqrt(np.sum(F**2, axis=1))

    def start(self, gram: ArrayLike, root: Array) -> Array:
        return inverse_root(np.diag(gram))

    def names(self, coefs: tuple[str, ...]) -> tuple[str, ...]:
        return coefs

    def vanished(self, theta: ArrayLike, gram: ArrayLike, coefs: tuple[str, ...]) -> tuple[Departure, ...]:
        factor, scale = self.factor(theta), inverse_root(np.diag(gram))
        out = []
        for i in np.flatnonzero(np.asarray(theta) == 0.0):
            direction = np.zeros((self.k, self.k))
            direction[i, i] = scale[i]
            out.append(
                Departure(f"no variance along {along(direction, coefs)}", (straight(factor, direction),))
            )
        return tuple(out)

    def without_small(self, theta: ArrayLike, gram: ArrayLike, size: float) -> Iterator[Clearing]:
        sizes = np.abs(np.asarray(theta)) / inverse_root(np.diag(gram))
        for i in np.argsort(sizes):
            if sizes[i] <= size:
                yield partial(replaced, place=int(i), value=0.0)


@dataclass(frozen=True)
class ScaledIdentity(Uncorrelated):
    """Independent coefs of one variance: θ is the one relative standard deviation s, Λ = sI."""

    keyword: ClassVar[str] = "homdiag"
    shared_sd: ClassVar[bool] = True

    @property
    def n_params(self) -> int:
        return 1

    def factor(self, theta: ArrayLike) -> Array:
        return float(np.asarray(theta, dtype=float)[0]) * np.eye(self.k)

    def derivative(self, theta: ArrayLike) -> Array:
        return np.eye(self.k)[None]

    def parameters(self, factor: ArrayLike) -> Array:
        return np.array([np.linalg.norm(np.asarray(factor, dtype=float)) / np.sqrt(self.k)])

    def start(self, gram: ArrayLike, root: Array) -> Array:
        return inverse_root(np.array([np.trace(np.asarray(gram)) / self.k]))

    def names(self, coefs: tuple[str, ...]) -> tuple[str, ...]:
        return ("sd",)

    def vanished(self, theta: ArrayLike, gram: ArrayLike, coefs: tuple[str, ...]) -> tuple[Departure, ...]:
        if np.any(np.asarray(theta)):
            return ()
        direction = np.eye(self.k) / (contribution(np.eye(self.k), gram) or 1.0)
        return (Departure("no variance", (straight(self.factor(theta), direction),)),)

    def without_small(self, theta: ArrayLike, gram: ArrayLike, size: float) -> Iterator[Clearing]:
        if contribution(self.factor(theta), gram) <= size:
            yield partial(replaced, place=0, value=0.0)


def replaced(theta: Array, place: int, value: float) -> Array:
    """θ with one element replaced."""
    out = np.array(theta, dtype=float)
    out[place] = value
    return out

"""Structures whose correlations all follow from one: compound symmetry and first-order autoregression."""

from abc import ABC
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import ClassVar

import numpy as np
from numpy.typing import ArrayLike

from bayeslmm.errors import OptionError

from .algebra import contribution, inverse_root
from .base import Array, Clearing, CovarianceStructure, Departure, Path, straight
from .independent import replaced
from .patterns import Exchangeable, Lagged, Pattern, Patterned, mean_and_rest

_MOST = 0.8  # of the correlation's range: a start stays off its ends


@dataclass(frozen=True)
class OneCorrelation(CovarianceStructure, ABC):
    """Correlations of one pattern."""

    pattern: ClassVar[Pattern]

    @property
    def pairs(self) -> tuple[tuple[int, int], ...]:
        return ((0, 1),) if self.k > 1 else ()

    @property
    def cor_range(self) -> tuple[float, float] | None:
        return self.pattern.bounds(self.k) if self.k > 1 else None

    @property
    def correlation(self) -> Patterned:
        return Patterned(self.k, self.pattern)

    def correlation_root(self, cor: ArrayLike) -> Array:
        if self.k == 1:
            return np.ones((1, 1))
        value = float(np.asarray(cor)[0])
        low, high = self.pattern.bounds(self.k)
        if not low - 1e-12 <= value <= high + 1e-12:
            raise OptionError(
                f"the correlation {value} of {self.keyword!r} over {self.k} coefs lies outside "
                f"its range, {low:.4g} to {high:.4g}"
            )
        return self.pattern.root(self.k, self.pattern.angle(self.k, float(np.clip(value, low, high))))[0]


@dataclass(frozen=True)
class Angled(OneCorrelation, ABC):
    """Λ = DR^½: θ holds what makes D, then the angle of the correlation (see `patterns`).

    With one sd for all, θ₀ is the relative sd itself. With one for each coef θᵢ is its square root: T is
    linear in an sd that is 0 while the others aren't, so the sd must not change its sign.
    """

    linear: ClassVar[bool] = False

    @property
    def n_params(self) -> int:
        return self._n_sd + (self.k > 1)

    @property
    def _n_sd(self) -> int:
        return len(self.sd_index)

    @property
    def lower(self) -> Array:
        return np.append(np.zeros(self._n_sd), np.full(self.n_params - self._n_sd, -np.inf))

    def factor(self, theta: ArrayLike) -> Array:
        return self._spread(theta)[:, None] * self._root(theta)[0]

    def derivative(self, theta: ArrayLike) -> Array:
        root, turn = self._root(theta)
        if self.shared_sd:
            of_sd = root[None]
        else:
            of_sd = np.einsum("pi,ij->pij", np.diag(2 * np.asarray(theta, dtype=float)[: self.k]), root)
        turned = self._spread(theta)[:, None] * turn
        return np.concatenate([of_sd, turned[None]]) if self.k > 1 else of_sd

    def parameters(self, factor: ArrayLike) -> Array:
        F = np.asarray(factor, dtype=float)
        spread = np.sqrt(np.sum(F**2, axis=1))
        shared = np.sqrt(np.mean(spread**2))
        return np.append(shared if self.shared_sd else np.sqrt(spread), self._angles(F, spread))

    def start(self, gram: ArrayLike, root: Array) -> Array:
        G = np.asarray(gram, dtype=float)
        spread = inverse_root(np.array([np.trace(G) / self.k]) if self.shared_sd else np.diag(G))
        angles = self._angles(root, np.sqrt(np.sum(root**2, axis=1)), _MOST)
        return np.append(spread if self.shared_sd else np.sqrt(spread), angles)

    def normalize(self, theta: ArrayLike) -> Array:
        out = np.array(theta, dtype=float)
        out[: self._n_sd] = np.abs(out[: self._n_sd])
        out[self._n_sd :] = [self.pattern.fold(angle) for angle in out[self._n_sd :]]
        return out

    def names(self, coefs: tuple[str, ...]) -> tuple[str, ...]:
        return (("sd",) if self.shared_sd else coefs) + ("correlation",) * (self.k > 1)

    def vanished(self, theta: ArrayLike, gram: ArrayLike, coefs: tuple[str, ...]) -> tuple[Departure, ...]:
        spread = self._spread(theta)
        if not spread.any():
            return (Departure("no variance", self._from_zero(gram)),)
        out = [
            Departure(f"no variance of {coefs[i]}", self._widening(theta, gram, int(i)))
            for i in np.flatnonzero(spread == 0.0)
        ]
        for _, part, end in self._small_parts(theta):
            if not np.any(spread[:, None] * part):
                out.append(Departure(f"the correlation is {end}", (self._turning(theta),)))
        return tuple(out)

    def without_small(self, theta: ArrayLike, gram: ArrayLike, size: float) -> Iterator[Clearing]:
        spread = self._spread(theta)
        parts = [
            (contribution(spread[:, None] * part, gram), self._n_sd, end)
            for end, part, _ in self._small_parts(theta)
        ]
        if self.shared_sd:
            parts.append((contribution(self.factor(theta), gram), 0, 0.0))
        else:
            parts += [
                (s / r, i, 0.0)
                for i, (s, r) in enumerate(zip(spread, inverse_root(np.diag(gram)), strict=True))
            ]
        for found, place, value in sorted(parts):
            if found <= size:
                yield partial(replaced, place=place, value=value)

    def _spread(self, theta: ArrayLike) -> Array:
        """Relative sd of each coef, (k,)."""
        values = np.asarray(theta, dtype=float)
        return np.full(self.k, values[0]) if self.shared_sd else values[: self.k] ** 2

    def _root(self, theta: ArrayLike) -> tuple[Array, Array]:
        if self.k == 1:
            return np.ones((1, 1)), np.zeros((1, 1))
        return self.pattern.root(self.k, float(np.asarray(theta)[-1]))

    def _angles(self, factor: Array, spread: Array, most: float = 1.0) -> Array:
        """The angle, if there is a correlation, of a factor with rows of these lengths."""
        if self.k == 1:
            return np.zeros(0)
        known = spread > 0
        unit = factor / np.where(known, spread, 1.0)[:, None]
        low, high = self.pattern.bounds(self.k)
        cor = float(np.clip(self.pattern.mean(unit @ unit.T, known), most * low, most * high))
        return np.array([self.pattern.angle(self.k, cor)])

    @property
    def _cors(self) -> Array:
        """Correlations all over their range."""
        return np.linspace(*self.pattern.bounds(self.k), 9) if self.k > 1 else np.zeros(1)

    def _small_parts(self, theta: ArrayLike) -> tuple[tuple[float, Array, str], ...]:
        return self.pattern.small_parts(self.k, float(np.asarray(theta)[-1])) if self.k > 1 else ()

    def _from_zero(self, gram: ArrayLike) -> tuple[Path, ...]:
        """Straight lines from Λ = 0: to every correlation, and to one coef at a time."""
        none, scale = np.zeros((self.k, self.k)), inverse_root(np.diag(gram))
        spread = np.full(self.k, np.sqrt(np.mean(scale**2))) if self.shared_sd else scale
        together = [spread[:, None] * self.correlation_root(np.array([cor])) for cor in self._cors]
        alone = [] if self.shared_sd else [np.diag(row) for row in np.diag(scale)]
        return tuple(straight(none, direction) for direction in [*together, *alone])

    def _widening(self, theta: ArrayLike, gram: ArrayLike, coef: int) -> tuple[Path, ...]:
        """One sd from 0, the others as they are; at every correlation where no two of them have one."""
        angles = [self.pattern.angle(self.k, cor) for cor in self._cors]
        if np.count_nonzero(self._spread(theta)) > 1:
            angles = [float(np.asarray(theta)[-1])]
        return tuple(self._wider(theta, gram, coef, angle) for angle in angles)

    def _wider(self, theta: ArrayLike, gram: ArrayLike, coef: int, angle: float) -> Path:
        there = replaced(np.asarray(theta, dtype=float), self._n_sd, angle)
        direction = np.zeros((self.k, self.k))
        direction[coef] = self._root(there)[0][coef] * inverse_root(np.diag(gram))[coef]
        return straight(self.factor(there), direction)

    def _turning(self, theta: ArrayLike) -> Path:
        """The correlation from the end of its range."""
        here = np.array(theta, dtype=float)

        def path(delta: float) -> tuple[Array, Array]:
            there = replaced(here, self._n_sd, here[-1] + delta)
            return self.factor(there), self.derivative(there)[-1]

        return path


@dataclass(frozen=True)
class CompoundSymmetry(Angled):
    """One correlation for all pairs of coefs, each coef with its own variance."""

    keyword: ClassVar[str] = "cs"
    pattern: ClassVar[Pattern] = Exchangeable()


@dataclass(frozen=True)
class Autoregression(Angled):
    """Correlations ρ^|i−j| over the coefs' order, one variance: for `0 + t`, t a factor of times."""

    keyword: ClassVar[str] = "ar1"
    by_visit: ClassVar[bool] = True
    shared_sd: ClassVar[bool] = True
    pattern: ClassVar[Pattern] = Lagged()


@dataclass(frozen=True)
class HeterogeneousAutoregression(Angled):
    """Correlations ρ^|i−j| over the coefs' order, each coef with its own variance."""

    keyword: ClassVar[str] = "hetar1"
    by_visit: ClassVar[bool] = True
    pattern: ClassVar[Pattern] = Lagged()


@dataclass(frozen=True)
class HomogeneousCompoundSymmetry(OneCorrelation):
    """One variance and one correlation: T = a²P + b²(I − P), P the projection on (1, ..., 1).

    θ = (a, b) are the relative sds of the coefs' mean, times √k, and of what is left; Λ = aP + b(I − P).
    """

    keyword: ClassVar[str] = "homcs"
    linear: ClassVar[bool] = True
    shared_sd: ClassVar[bool] = True
    pattern: ClassVar[Pattern] = Exchangeable()

    @property
    def n_params(self) -> int:
        return min(self.k, 2)

    @property
    def lower(self) -> Array:
        return np.zeros(self.n_params)

    def factor(self, theta: ArrayLike) -> Array:
        return np.tensordot(np.asarray(theta, dtype=float), self._parts, axes=1)

    def derivative(self, theta: ArrayLike) -> Array:
        return self._parts

    def parameters(self, factor: ArrayLike) -> Array:
        F = np.asarray(factor, dtype=float)
        parts = np.array([np.linalg.norm(part @ F) for part in self._parts])
        return parts / np.sqrt([1.0, self.k - 1.0][: self.n_params])

    def start(self, gram: ArrayLike, root: Array) -> Array:
        G = np.asarray(gram, dtype=float)
        precision = np.array([np.einsum("ij,ij->", part, G) for part in self._parts])
        return inverse_root(precision / np.array([1.0, self.k - 1.0])[: self.n_params])

    def normalize(self, theta: ArrayLike) -> Array:
        return np.abs(np.asarray(theta, dtype=float))

    def names(self, coefs: tuple[str, ...]) -> tuple[str, ...]:
        return ("mean", "deviations")[: self.n_params]

    def vanished(self, theta: ArrayLike, gram: ArrayLike, coefs: tuple[str, ...]) -> tuple[Departure, ...]:
        words = ("no variance of the coefs' mean", "no variance of the coefs about their mean")
        return tuple(
            Departure(word, (straight(self.factor(theta), part / (contribution(part, gram) or 1.0)),))
            for value, part, word in zip(np.asarray(theta), self._parts, words, strict=False)
            if value == 0.0
        )

    def without_small(self, theta: ArrayLike, gram: ArrayLike, size: float) -> Iterator[Clearing]:
        sizes = [
            contribution(value * part, gram)
            for value, part in zip(np.asarray(theta), self._parts, strict=True)
        ]
        for i in np.argsort(sizes):
            if sizes[i] <= size:
                yield partial(replaced, place=int(i), value=0.0)

    @property
    def _parts(self) -> Array:
        """P and I − P, (n_params, k, k)."""
        return np.array([mean_and_rest(self.k, 1.0, 0.0), mean_and_rest(self.k, 0.0, 1.0)][: self.n_params])

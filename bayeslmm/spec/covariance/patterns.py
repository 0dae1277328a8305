"""Correlation matrices that follow from one correlation ρ, by an angle in which a root of them is smooth.

An angle has no bounds: where ρ reaches the end of its range the root loses a rank; beyond it ρ comes back.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .base import Array
from .correlation import Correlation, Entries, Scalar


class Pattern(ABC):
    """Correlations of k ≥ 2 coefs that follow from ρ, the correlation of the first two."""

    @abstractmethod
    def bounds(self, k: int) -> tuple[float, float]:
        """The range of ρ."""

    @abstractmethod
    def lower_root(self, k: int, rho: Scalar) -> Entries:
        """The Cholesky factor of R, in plain arithmetic on ρ."""

    @abstractmethod
    def root(self, k: int, angle: float) -> tuple[Array, Array]:
        """A root of R, and its derivative by the angle, (k, k) each."""

    @abstractmethod
    def angle(self, k: int, cor: float) -> float:
        """The normal angle of ρ."""

    @abstractmethod
    def fold(self, angle: float) -> float:
        """The normal angle of the same ρ."""

    @abstractmethod
    def mean(self, R: Array, known: NDArray[np.bool_]) -> float:
        """ρ of a correlation matrix, maybe of another pattern; only coefs that are `known` (k,) count."""

    @abstractmethod
    def small_parts(self, k: int, angle: float) -> tuple[tuple[float, Array, str], ...]:
        """For each end of ρ's range: its angle, the part (k, k) of the root that is 0 there, a word."""


@dataclass(frozen=True)
class Exchangeable(Pattern):
    """All correlations are ρ: R = a²P + b²(I − P), P the projection on (1, ..., 1).

    a² = 1 + (k−1)ρ and b² = 1 − ρ lie on the ellipse a² + (k−1)b² = k, so a = √k cos, b = √(k/(k−1)) sin.
    """

    def bounds(self, k: int) -> tuple[float, float]:
        return -1 / (k - 1), 1.0

    def lower_root(self, k: int, rho: Scalar) -> Entries:
        """Given j coefs the others have variance (1−ρ)(1+jρ)/(1+(j−1)ρ), covariance ρ(1−ρ)/(1+(j−1)ρ)."""
        out: Entries = {(0, 0): 1.0} | {(i, 0): rho for i in range(1, k)}
        for j in range(1, k):
            before, here = 1 + (j - 1) * rho, 1 + j * rho
            out[j, j] = ((1 - rho) * here / before) ** 0.5
            for i in range(j + 1, k):
                out[i, j] = rho * ((1 - rho) / (before * here)) ** 0.5
        return out

    def root(self, k: int, angle: float) -> tuple[Array, Array]:
        cos, sin = _cos_sin(angle)
        long, short = np.sqrt(k), np.sqrt(k / (k - 1))
        return mean_and_rest(k, long * cos, short * sin), mean_and_rest(k, -long * sin, short * cos)

    def angle(self, k: int, cor: float) -> float:
        return float(np.arctan2(np.sqrt((1 - cor) * (k - 1)), np.sqrt(max(1 + (k - 1) * cor, 0.0))))

    def fold(self, angle: float) -> float:
        return abs(float(angle - np.pi * np.round(angle / np.pi)))

    def mean(self, R: Array, known: NDArray[np.bool_]) -> float:
        pairs = np.tril(np.outer(known, known), -1).astype(bool)
        low, high = self.bounds(len(R))
        return float(np.clip(np.mean(R[pairs]), low, high)) if pairs.any() else 0.0

    def small_parts(self, k: int, angle: float) -> tuple[tuple[float, Array, str], ...]:
        cos, sin = _cos_sin(angle)
        return (
            (0.0, mean_and_rest(k, 0.0, np.sqrt(k / (k - 1)) * sin), "1"),
            (np.pi / 2, mean_and_rest(k, np.sqrt(k) * cos, 0.0), f"-1/{k - 1}" if k > 2 else "-1"),
        )


@dataclass(frozen=True)
class Lagged(Pattern):
    """Correlations ρ^|i−j|, a first-order autoregression over the coefs' order: ρ = sin.

    The root is the autoregression itself: b₀ = u₀, bᵢ = ρ bᵢ₋₁ + √(1−ρ²) uᵢ.
    """

    def bounds(self, k: int) -> tuple[float, float]:
        return -1.0, 1.0

    def lower_root(self, k: int, rho: Scalar) -> Entries:
        new = (1 - rho**2) ** 0.5
        return {
            (i, j): (rho ** (i - j) if i > j else 1.0) * (new if j else 1.0)
            for i in range(k)
            for j in range(i + 1)
        }

    def root(self, k: int, angle: float) -> tuple[Array, Array]:
        cos, sin = _cos_sin(angle)
        lag = np.subtract.outer(np.arange(k), np.arange(k))
        inside = lag >= 0
        power = np.where(inside, sin ** np.maximum(lag, 0), 0.0)
        slope = np.where(lag > 0, lag * sin ** np.maximum(lag - 1, 0), 0.0) * cos
        root, turn = cos * power, cos * slope - sin * power
        root[:, 0], turn[:, 0] = power[:, 0], slope[:, 0]
        return root, turn

    def angle(self, k: int, cor: float) -> float:
        return float(np.arctan2(cor, np.sqrt((1 - cor) * (1 + cor))))

    def fold(self, angle: float) -> float:
        turned = float(angle - 2 * np.pi * np.round(angle / (2 * np.pi)))
        return turned if abs(turned) <= np.pi / 2 else float(np.copysign(np.pi, turned)) - turned

    def mean(self, R: Array, known: NDArray[np.bool_]) -> float:
        pairs = known[1:] & known[:-1]
        return float(np.clip(np.mean(np.diag(R, -1)[pairs]), -1.0, 1.0)) if pairs.any() else 0.0

    def small_parts(self, k: int, angle: float) -> tuple[tuple[float, Array, str], ...]:
        root, _ = self.root(k, angle)
        root[:, 0] = 0.0
        end = float(np.copysign(np.pi / 2, np.sin(angle)))
        return ((end, root, "1" if end > 0 else "-1"),)


@dataclass(frozen=True)
class Patterned(Correlation):
    """Correlations that follow from one, ρ, which z carries linearly to its range."""

    pattern: Pattern

    @property
    def n_free(self) -> int:
        return int(self.k > 1)

    def shapes(self, eta: float) -> tuple[float, ...]:
        return (eta,) * self.n_free

    def factor(self, z: Sequence[Scalar]) -> Entries:
        return self.pattern.lower_root(self.k, self.pairs(z)[0]) if self.n_free else {(0, 0): 1.0}

    def pairs(self, z: Sequence[Scalar]) -> list[Scalar]:
        if not self.n_free:
            return []
        low, high = self.pattern.bounds(self.k)
        return [low + (high - low) * (value + 1) / 2 for value in z]

    def free(self, cor: ArrayLike) -> Array:
        if not self.n_free:
            return np.zeros(0)
        low, high = self.pattern.bounds(self.k)
        rho = np.nan_to_num(np.asarray(cor, dtype=float))
        return np.asarray(np.clip(2 * (rho - low) / (high - low) - 1, -1.0, 1.0))


def mean_and_rest(k: int, a: float, b: float) -> Array:
    """aP + b(I − P), P the projection on (1, ..., 1)."""
    return b * np.eye(k) + (a - b) / k


def _cos_sin(angle: float) -> tuple[float, float]:
    """Cosine and sine, exactly 0 where they are."""
    cos, sin = float(np.cos(angle)), float(np.sin(angle))
    return (0.0 if abs(cos) < 1e-15 else cos), (0.0 if abs(sin) < 1e-15 else sin)

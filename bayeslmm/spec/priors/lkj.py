"""The prior of correlations."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import ArrayLike

from .base import Array, Prior


@dataclass(frozen=True)
class LKJ(Prior):
    """Correlation matrix R with density ∝ ``|R|^(eta-1)`` (Lewandowski, Kurowicka & Joe 2009).

    Where all correlations follow from one ρ (`cs`, `ar1`), ρ carried from its range to (0, 1) is
    Beta(eta, eta): what LKJ is for two coefs.
    """

    eta: float
    support = "correlation"
    positive = ("eta",)
    distribution = "LKJCorr"
    keywords: ClassVar = {"eta": "eta"}
    variables: ClassVar = {"LKJCorr": ("n", "eta")}

    @classmethod
    def read(cls, name: str, arguments: Mapping[str, float]) -> "Prior":
        """As of every family; PyMC's n is the number of coefs, which the term knows itself."""
        arguments.get("n")
        return super().read(name, arguments)

    def logpdf(self, x: ArrayLike) -> Array:
        """Log density in the correlations of R = x, shape (..., k, k); -inf unless R is positive definite."""
        R = np.asarray(x, dtype=float)
        sign, logdet = np.linalg.slogdet(R)
        definite = (sign > 0) & (np.linalg.eigvalsh(R)[..., 0] > 0)
        with np.errstate(invalid="ignore"):
            density = self._log_constant(R.shape[-1]) + (self.eta - 1) * logdet
        return np.where(definite, density, -np.inf)

    def logpdf_one(self, x: ArrayLike, low: float, high: float) -> Array:
        """Log density of the one correlation x that all others follow from, low ≤ x ≤ high."""
        unit = (np.asarray(x, dtype=float) - low) / (high - low)
        log_beta = 2 * math.lgamma(self.eta) - math.lgamma(2 * self.eta)
        with np.errstate(divide="ignore", invalid="ignore"):
            density = (self.eta - 1) * (np.log(unit) + np.log1p(-unit)) - log_beta - math.log(high - low)
        return np.where((unit > 0) & (unit < 1), density, -np.inf)

    def _log_constant(self, k: int) -> float:
        """Minus the log of ∏ᵢ (2^(2aᵢ-1) B(aᵢ, aᵢ))^(k-i), aᵢ = eta + (k-1-i)/2, i = 1 ... k-1.

        The k-i partial correlations given i-1 others are Beta(aᵢ, aᵢ) on (-1, 1).
        """
        total = 0.0
        for i in range(1, k):
            a = self.eta + (k - 1 - i) / 2
            log_beta = 2 * math.lgamma(a) - math.lgamma(2 * a)
            total -= (k - i) * ((2 * a - 1) * math.log(2) + log_beta)
        return total

    def draw(self, generator: np.random.Generator, n: int) -> Array:
        """n draws of the correlation of two coefs."""
        return 2 * generator.beta(self.eta, self.eta, n) - 1

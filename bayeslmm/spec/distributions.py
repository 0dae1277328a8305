"""Prior families: what each is, and its log density with every constant.

Parameters are in the data's units.
"""

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass, fields
from typing import ClassVar, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bayeslmm.errors import PriorError

type Array = NDArray[np.float64]
type Support = Literal["real", "positive", "any", "correlation"]

_HALF_LOG_2PI = 0.5 * math.log(2 * math.pi)


@dataclass(frozen=True)
class Prior(ABC):
    """A prior family with its parameters."""

    support: ClassVar[Support]
    positive: ClassVar[tuple[str, ...]] = ()  # parameters that must be > 0

    def __post_init__(self) -> None:
        """Check the parameters.

        Raises
        ------
        PriorError
            When one isn't a finite number, or isn't positive where it must be.
        """
        for parameter in fields(self):
            value = getattr(self, parameter.name)
            if not math.isfinite(value) or (parameter.name in self.positive and value <= 0):
                need = "a positive" if parameter.name in self.positive else "a finite"
                raise PriorError(
                    f"{type(self).__name__}: {parameter.name} is {value!r}; it must be {need} number"
                )

    @abstractmethod
    def logpdf(self, x: ArrayLike) -> Array:
        """Log density at x, elementwise; -inf outside the support."""

    def __str__(self) -> str:
        values = ", ".join(
            f"{parameter.name}={getattr(self, parameter.name):.4g}" for parameter in fields(self)
        )
        return f"{type(self).__name__}({values})"


@dataclass(frozen=True)
class Flat(Prior):
    """Density 1 everywhere: improper; on a standard deviation, 1 from 0 upwards."""

    support: ClassVar[Support] = "any"

    def logpdf(self, x: ArrayLike) -> Array:
        return np.zeros(np.shape(x))

    def __str__(self) -> str:
        return "Flat"


@dataclass(frozen=True)
class Normal(Prior):
    """Normal(mean, sd)."""

    mean: float
    sd: float
    support: ClassVar[Support] = "real"
    positive: ClassVar[tuple[str, ...]] = ("sd",)

    def logpdf(self, x: ArrayLike) -> Array:
        z = (np.asarray(x, dtype=float) - self.mean) / self.sd
        return -0.5 * z**2 - math.log(self.sd) - _HALF_LOG_2PI


@dataclass(frozen=True)
class StudentT(Prior):
    """Student's t with `df` degrees of freedom about `loc`."""

    df: float
    loc: float
    scale: float
    support: ClassVar[Support] = "real"
    positive: ClassVar[tuple[str, ...]] = ("df", "scale")

    def logpdf(self, x: ArrayLike) -> Array:
        z = (np.asarray(x, dtype=float) - self.loc) / self.scale
        constant = (
            math.lgamma((self.df + 1) / 2) - math.lgamma(self.df / 2) - 0.5 * math.log(math.pi * self.df)
        )
        return constant - math.log(self.scale) - (self.df + 1) / 2 * np.log1p(z**2 / self.df)


@dataclass(frozen=True)
class Laplace(Prior):
    """Double exponential about `loc`."""

    loc: float
    scale: float
    support: ClassVar[Support] = "real"
    positive: ClassVar[tuple[str, ...]] = ("scale",)

    def logpdf(self, x: ArrayLike) -> Array:
        return -np.abs(np.asarray(x, dtype=float) - self.loc) / self.scale - math.log(2 * self.scale)


@dataclass(frozen=True)
class HalfNormal(Prior):
    """``|x|`` of a normal about 0 with standard deviation `scale`."""

    scale: float
    support: ClassVar[Support] = "positive"
    positive: ClassVar[tuple[str, ...]] = ("scale",)

    def logpdf(self, x: ArrayLike) -> Array:
        return _on_positive(x, Normal(0.0, self.scale).logpdf(x) + math.log(2))


@dataclass(frozen=True)
class HalfStudentT(Prior):
    """``|x|`` of a Student's t about 0."""

    df: float
    scale: float
    support: ClassVar[Support] = "positive"
    positive: ClassVar[tuple[str, ...]] = ("df", "scale")

    def logpdf(self, x: ArrayLike) -> Array:
        return _on_positive(x, StudentT(self.df, 0.0, self.scale).logpdf(x) + math.log(2))


@dataclass(frozen=True)
class Exponential(Prior):
    """Exponential with mean `scale`."""

    scale: float
    support: ClassVar[Support] = "positive"
    positive: ClassVar[tuple[str, ...]] = ("scale",)

    def logpdf(self, x: ArrayLike) -> Array:
        return _on_positive(x, -np.asarray(x, dtype=float) / self.scale - math.log(self.scale))


@dataclass(frozen=True)
class Gamma(Prior):
    """Gamma with mean shape/rate; with shape > 1 it keeps a standard deviation off 0."""

    shape: float
    rate: float
    support: ClassVar[Support] = "positive"
    positive: ClassVar[tuple[str, ...]] = ("shape", "rate")

    def logpdf(self, x: ArrayLike) -> Array:
        values = np.asarray(x, dtype=float)
        constant = self.shape * math.log(self.rate) - math.lgamma(self.shape)
        with np.errstate(divide="ignore", invalid="ignore"):
            power = np.where(values == 0, *_power_at_zero(self.shape, values))
        return _on_positive(x, constant + power - self.rate * values)


@dataclass(frozen=True)
class PenalizedComplexity(Prior):
    """Exponential with P(x > upper) = alpha (Simpson et al. 2017)."""

    upper: float
    alpha: float
    support: ClassVar[Support] = "positive"
    positive: ClassVar[tuple[str, ...]] = ("upper", "alpha")

    def __post_init__(self) -> None:
        """Check the parameters.

        Raises
        ------
        PriorError
            When alpha isn't a probability, or upper isn't positive.
        """
        Prior.__post_init__(self)
        if self.alpha >= 1:
            raise PriorError(
                f"PenalizedComplexity: alpha is {self.alpha!r}; it must be a probability below 1"
            )

    @property
    def exponential(self) -> Exponential:
        """The same as an exponential prior."""
        return Exponential(-self.upper / math.log(self.alpha))

    def logpdf(self, x: ArrayLike) -> Array:
        return self.exponential.logpdf(x)


@dataclass(frozen=True)
class LKJ(Prior):
    """Correlation matrix R with density ∝ ``|R|^(eta-1)`` (Lewandowski, Kurowicka & Joe 2009).

    Where all correlations follow from one ρ (`cs`, `ar1`), ρ carried from its range to (0, 1) is
    Beta(eta, eta): what LKJ is for two coefs.
    """

    eta: float
    support: ClassVar[Support] = "correlation"
    positive: ClassVar[tuple[str, ...]] = ("eta",)

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


def _on_positive(x: ArrayLike, values: Array) -> Array:
    return np.where(np.asarray(x) >= 0, values, -np.inf)


def _power_at_zero(shape: float, x: Array) -> tuple[float, Array]:
    """(shape - 1) log x at 0, and elsewhere."""
    at_zero = 0.0 if shape == 1 else math.copysign(math.inf, 1 - shape)
    return at_zero, (shape - 1) * np.log(x)

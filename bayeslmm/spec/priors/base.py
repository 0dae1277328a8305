"""What a prior family is: everything that any part of the package asks of one.

Parameters are in the data's units.
"""

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from numbers import Real
from typing import Any, ClassVar, Literal, NamedTuple, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bayeslmm.errors import PriorError
from bayeslmm.registry import Registered
from bayeslmm.spec.given import has_square

type Array = NDArray[np.float64]
type Support = Literal["real", "positive", "any", "share", "correlation"]

HALF_LOG_2PI = 0.5 * math.log(2 * math.pi)
_BOUNDS: dict[str, tuple[float, float]] = {"positive": (0.0, math.inf), "correlation": (-1.0, 1.0)}


class Distribution(NamedTuple):
    """A distribution by its name in PyMC and Bambi, and its arguments there."""

    name: str
    arguments: dict[str, float]


class Quadratic(NamedTuple):
    """A log density constant + shift·x − ½ precision·x²."""

    precision: float
    shift: float
    constant: float


@dataclass(frozen=True)
class Prior(Registered, ABC):
    """A prior family with its parameters; it is asked for by its class's name.

    Attributes
    ----------
    support : what parameters it fits: "real" a fixed effect, "positive" a standard deviation, "any" both,
        "share" one between two ends, "correlation" correlations.
    proper : does it integrate to 1?
    positive, unbounded : parameters that must be > 0, and that may be infinite.
    in_units : parameters that are in the units of what has the prior.
    distribution, keywords : its name in PyMC and Bambi, and its parameter for each keyword there; none where
        `stated` follows from something else.
    variables : distributions of PyMC that are read as this family, with the parameters of a variable of each
        in order, None for one that must be 0.
    """

    support: ClassVar[Support]
    proper: ClassVar[bool] = True
    positive: ClassVar[tuple[str, ...]] = ()
    unbounded: ClassVar[tuple[str, ...]] = ()
    in_units: ClassVar[tuple[str, ...]] = ()
    distribution: ClassVar[str] = ""
    keywords: ClassVar[Mapping[str, str]] = {}
    variables: ClassVar[Mapping[str, tuple[str | None, ...]]] = {}

    def __post_init__(self) -> None:
        """Check the parameters.

        Raises
        ------
        PriorError
            When one isn't a finite number, isn't positive where it must be, or has no square.
        """
        for parameter in fields(self):
            value = getattr(self, parameter.name)
            bounded = parameter.name not in self.unbounded
            allowed = (
                isinstance(value, Real) and not math.isnan(value) and not (bounded and math.isinf(value))
            )
            if not allowed or (parameter.name in self.positive and value <= 0):
                need = "a positive" if parameter.name in self.positive else "a finite"
                raise PriorError(
                    f"{type(self).__name__}: {parameter.name} is {value!r}; it must be {need} number"
                )
            size = value if parameter.name in self.positive else max(abs(value), 1.0)
            if math.isfinite(size) and not has_square(size):
                raise PriorError(
                    f"{type(self).__name__}: {parameter.name} is {value!r}, whose square is beyond floating "
                    "point; take other units"
                )

    @abstractmethod
    def logpdf(self, x: ArrayLike) -> Array:
        """Log density at x with every constant, elementwise; -inf outside the support."""

    def scipy_logpdf(self, x: Array) -> Array:
        """The same by SciPy, a witness of its own; a family that SciPy doesn't know has no other witness."""
        return self.logpdf(x)

    @abstractmethod
    def draw(self, generator: np.random.Generator, n: int) -> Array:
        """n independent draws.

        Raises
        ------
        PriorError
            When it is improper.
        """

    @property
    def bounds(self) -> tuple[float, float]:
        """Between which the density lies."""
        return _BOUNDS.get(self.support, (-math.inf, math.inf))

    @property
    def quadratic(self) -> Quadratic | None:
        """The log density where it is a quadratic: what β can be integrated out under."""
        return None

    @property
    def wall(self) -> float | None:
        """From where on the density of a standard deviation falls off faster than any power.

        It is the scale s of NUTS's coordinate t, sd = s log(1 + eᵗ) (decision 20); None for PyMC's own.
        """
        return None

    @property
    def stretched(self) -> tuple[float, float] | None:
        """Start and length of what PyMC's distribution on (0, 1) is carried to; None for (0, 1)."""
        return None

    def stated(self, positive: bool) -> Distribution:
        """As PyMC and Bambi state it, of a standard deviation (`positive`) or any number."""
        arguments = {keyword: getattr(self, name) for keyword, name in self.keywords.items()}
        return Distribution(self.distribution, arguments)

    @classmethod
    def read(cls, name: str, arguments: Mapping[str, float]) -> "Prior":
        """The prior that PyMC or Bambi state by one of the names in `variables`.

        Raises
        ------
        KeyError
            When an argument is missing.
        """
        return cls(**{field: arguments[keyword] for keyword, field in cls.keywords.items()})

    def rescaled(self, factor: float) -> Self:
        """The prior of `factor` > 0 times what has this one."""
        return replace(self, **{name: getattr(self, name) * factor for name in self.in_units})

    def __str__(self) -> str:
        values = ", ".join(
            f"{parameter.name}={getattr(self, parameter.name):.4g}" for parameter in fields(self)
        )
        return f"{type(self).__name__}({values})"

    @classmethod
    def _word(cls) -> str | None:
        return cls.__name__


def within(x: ArrayLike, bounds: tuple[float, float], values: Any) -> Array:
    """`values` of a log density where x lies within bounds, -inf elsewhere."""
    at = np.asarray(x)
    return np.where((at >= bounds[0]) & (at <= bounds[1]), values, -np.inf)

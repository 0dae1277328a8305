"""Wild bootstrap: the marginal residuals of a group, all multiplied by one random number."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from bayeslmm.errors import check_choice
from bayeslmm.likelihood.bootstrap.hierarchy import independent_levels
from bayeslmm.likelihood.bootstrap.kinds.base import ResponseKind
from bayeslmm.likelihood.bootstrap.responses import Rows
from bayeslmm.likelihood.fitted import Fitted

type Array = NDArray[np.float64]
type Multiplier = Callable[[np.random.Generator, int], Array]

HCCME = {"hc2": 0.5, "hc3": 1.0}
ROOT_5 = 5.0**0.5


def mammen(generator: np.random.Generator, m: int) -> Array:
    """Two points with mean 0, variance 1 and third moment 1 (Mammen 1993)."""
    low = generator.random(m) < (ROOT_5 + 1) / (2 * ROOT_5)
    return np.asarray(np.where(low, (1 - ROOT_5) / 2, (1 + ROOT_5) / 2))


def rademacher(generator: np.random.Generator, m: int) -> Array:
    """A random sign (Davidson & Flachaire 2008)."""
    return np.asarray(2.0 * generator.integers(0, 2, m) - 1.0)


def webb(generator: np.random.Generator, m: int) -> Array:
    """Six points, for few groups (Webb 2014)."""
    size = np.sqrt(generator.integers(1, 4, m) / 2)
    return np.asarray(size * rademacher(generator, m))


def normal(generator: np.random.Generator, m: int) -> Array:
    """Standard normal."""
    return generator.standard_normal(m)


MULTIPLIERS: dict[str, Multiplier] = {
    "mammen": mammen,
    "rademacher": rademacher,
    "webb": webb,
    "normal": normal,
}


@dataclass(frozen=True)
class Wild(ResponseKind):
    """y* = Xβ̂ + w_g ṽ, ṽ the marginal residuals y − Xβ̂ corrected for leverage, w_g one number a group.

    Needs no homoscedasticity and no normal law; the multipliers have mean 0 and variance 1.

    Attributes
    ----------
    hccme : ṽ = v/√(1 − h) ("hc2") or v/(1 − h) ("hc3"), h the leverages of X.
    multiplier : "mammen", "rademacher", "webb" or "normal".
    group : factor whose levels are independent; None for the one that contains all others.

    References
    ----------
    Modugno & Giannerini (2015), Communications in Statistics - Theory and Methods 44, 4812-4825.
    """

    keyword: ClassVar[str] = "wild"
    has_effects: ClassVar[bool] = False

    hccme: str = "hc2"
    multiplier: str = "mammen"
    group: str | None = None

    def __post_init__(self) -> None:
        """Check the options' words."""
        check_choice("hccme", self.hccme, HCCME)
        check_choice("multiplier", self.multiplier, MULTIPLIERS)

    def rows(self, fit: Fitted) -> "WildRows":
        """What draws the rows."""
        design = fit.design
        Q, _ = np.linalg.qr(design.residual.whiten(design.X))
        rest = 1 - np.sum(Q**2, axis=1)
        v = design.y - design.offset - design.X @ fit.beta_values
        # a row that X fits exactly has residual 0 whatever y
        corrected = np.where(rest > 1e-10, v / np.maximum(rest, 1e-10) ** HCCME[self.hccme], 0.0)
        _, codes = np.unique(independent_levels(design, self.group), return_inverse=True)
        return WildRows(corrected, codes, MULTIPLIERS[self.multiplier], np.full(design.q, np.nan))


@dataclass(frozen=True, slots=True, eq=False)
class WildRows:
    """Multiplies residuals v (n,) by one number for each of the levels `codes` (n,)."""

    v: Array
    codes: NDArray[np.int64]
    multiplier: Multiplier
    no_effects: Array

    def __call__(self, generator: np.random.Generator) -> Rows:
        """The response of one generator."""
        w = self.multiplier(generator, int(self.codes.max()) + 1)
        return Rows(self.v * w[self.codes], self.no_effects)

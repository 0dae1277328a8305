"""What every covariance structure can do, and how one at its boundary leaves it."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bayeslmm.errors import OptionError
from bayeslmm.registry import Registered

from .algebra import inverse_factor
from .correlation import Correlation

type Array = NDArray[np.float64]
type Path = Callable[[float], tuple[Array, Array]]  # δ to a factor and its derivative by δ
type Clearing = Callable[[Array], Array]  # θ to the θ without something


@dataclass(frozen=True, slots=True)
class Departure:
    """How a covariance on its boundary may leave it.

    Attributes
    ----------
    what : what the boundary is, in words.
    paths : each a curve δ ↦ Λ(δ) into the interior with T(δ) = T + δ²S + o(δ²) or steeper; the criterion
        may fall along none of them.
    """

    what: str
    paths: tuple[Path, ...]


@dataclass(frozen=True)
class CovarianceStructure(Registered, ABC):
    """Covariance of the `k` coefs of one bar: how parameters θ fill a relative factor Λ, T = ΛΛᵀ.

    θ is chosen so that T is smooth in it without bounds; `normalize` picks one of the θ of the same T.

    Attributes
    ----------
    k : int
        Number of coefs.
    """

    linear: ClassVar[bool]  # is Λ linear in θ?
    shared_sd: ClassVar[bool] = False  # have all coefs one standard deviation?
    separable: ClassVar[bool] = False  # are coefs independent, each with a θ of its own?
    by_visit: ClassVar[bool] = False  # are the coefs the levels of a factor, in their order?

    k: int

    @property
    @abstractmethod
    def n_params(self) -> int:
        """Number of elements of θ."""

    @property
    @abstractmethod
    def lower(self) -> Array:
        """Lower bounds of a normalized θ, shape (n_params,)."""

    @abstractmethod
    def factor(self, theta: ArrayLike) -> Array:
        """A relative factor Λ, shape (k, k)."""

    @abstractmethod
    def derivative(self, theta: ArrayLike) -> Array:
        """dΛ/dθ, shape (n_params, k, k)."""

    @abstractmethod
    def parameters(self, factor: ArrayLike) -> Array:
        """θ of a factor (k, k): the inverse of `factor`; of a near covariance for one of another kind."""

    @abstractmethod
    def start(self, gram: ArrayLike, root: Array) -> Array:
        """A θ whose T is about the inverse of `gram`, the mean of z zᵀ over rows, shape (k, k).

        Then each coef contributes as much to the response as the residual does, in any unit of z.

        Parameters
        ----------
        root : (k, k) a lower factor of that inverse, as `inverse_factor` has it.
        """

    def near(self, covariance: Array) -> Array:
        """A θ (n_params,) whose T is about a definite `covariance` (k, k), and off every boundary."""
        root = inverse_factor(covariance)
        precision = root @ root.T
        return self.start(precision, inverse_factor(precision))

    @abstractmethod
    def normalize(self, theta: ArrayLike) -> Array:
        """The normal θ of the same T."""

    @property
    @abstractmethod
    def pairs(self) -> tuple[tuple[int, int], ...]:
        """Coef pairs (i, j), i < j, whose correlation is free, in lme4's order.

        Where all correlations follow from one, the pair of the first two coefs stands for it.
        """

    @property
    def correlation(self) -> Correlation:
        """The correlations in the free coordinates that a PyMC graph samples.

        Raises
        ------
        OptionError
            Where a structure doesn't say.
        """
        raise OptionError(f"covariance structure {self.keyword!r} has no PyMC graph yet; fit it by REML")

    @abstractmethod
    def correlation_root(self, cor: ArrayLike) -> Array:
        """A root (k, k) of the correlation matrix of the free correlations (n_pairs,), ±1 allowed.

        Raises
        ------
        OptionError
            When they don't make a correlation matrix.
        """

    @abstractmethod
    def names(self, coefs: tuple[str, ...]) -> tuple[str, ...]:
        """What each element of θ belongs to: a coef, a pair of them, or what all share."""

    @abstractmethod
    def vanished(self, theta: ArrayLike, gram: ArrayLike, coefs: tuple[str, ...]) -> tuple[Departure, ...]:
        """Every boundary the covariance lies on at θ, with the ways off it.

        Parameters
        ----------
        gram : (k, k) mean of z zᵀ over rows, for scale. coefs : for words.
        """

    @abstractmethod
    def without_small(self, theta: ArrayLike, gram: ArrayLike, size: float) -> Iterator[Clearing]:
        """Ways to put θ on its boundary where it is near, the smallest change first.

        What is taken out is no larger than `size` in its root mean square contribution zᵀb over rows,
        relative to σ.
        """

    def steps(self, root: Array) -> Array:
        """Steps of θ, as columns (n_params, n_params), whose changes of S⁻¹Λ are orthonormal.

        Parameters
        ----------
        root : (k, k) S; derivatives are taken off every boundary, at the T next to SSᵀ.
        """
        inverse = np.linalg.inv(root)
        moves = inverse @ self.derivative(self.parameters(root))
        columns = moves.reshape(len(moves), -1).T
        sizes = np.linalg.norm(columns, axis=0)
        sizes[sizes == 0] = 1.0
        triangle = np.linalg.qr(columns / sizes, mode="r")
        if np.abs(triangle.diagonal()).min() < 1e-12:
            return np.diag(1 / sizes)
        return np.asarray(np.linalg.inv(triangle) / sizes[:, None])

    @property
    def sd_index(self) -> tuple[int, ...]:
        """Coefs whose standard deviation is free; the first stands for all where they share one."""
        return (0,) if self.shared_sd else tuple(range(self.k))

    @property
    def sd_of_coef(self) -> tuple[int, ...]:
        """Which of the free standard deviations each coef has."""
        return (0,) * self.k if self.shared_sd else tuple(range(self.k))

    @property
    def cor_range(self) -> tuple[float, float] | None:
        """Range of the one correlation all follow from; None where correlations are free or there is none."""
        return None

    def factor_natural(self, sd: ArrayLike, cor: ArrayLike) -> Array:
        """A factor of the absolute covariance diag(sd) R diag(sd), shape (k, k).

        Parameters
        ----------
        sd : (n_sd,) free standard deviations, 0 allowed.
        cor : (n_pairs,) correlations in the order of `pairs`, ±1 allowed; where an sd is 0 they
            don't matter and may be NaN.

        Raises
        ------
        OptionError
            When R isn't a correlation matrix.
        """
        spread = np.asarray(sd, dtype=float)[list(self.sd_of_coef)]
        # a NaN correlation is one of an sd that is 0: any value gives the same covariance
        return spread[:, None] * self.correlation_root(np.nan_to_num(np.asarray(cor, dtype=float)))


def straight(factor: Array, direction: Array) -> Path:
    """Λ + δD, where ΛDᵀ + DΛᵀ = 0."""
    return lambda delta: (factor + delta * direction, direction)


def along(direction: Array, coefs: tuple[str, ...]) -> str:
    """The combination of coefs a direction D (k, k) of rank one spreads along."""
    spread = direction @ direction.T
    largest = np.argmax(np.diag(spread))
    axis = spread[:, largest] / np.sqrt(spread[largest, largest])
    return " + ".join(f"{value:.3g}·{coef}" for value, coef in zip(axis, coefs, strict=True) if value != 0)

"""Parameters that have one prior together: correlations of a matrix C, with density ∝ |C|^(η − 1).

They are given by elements z in (-1, 1) that may take any value and are independent under LKJ(η), each with
(z + 1)/2 ~ Beta(a, a) for a shape a of its own.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bayeslmm.spec.covariance.correlation import Vine

type Array = NDArray[np.float64]
type Scalar = Any  # a float, an array of draws or a PyTensor scalar
type Join = Callable[[Sequence[Scalar]], list[Scalar]]


@dataclass(frozen=True, eq=False)
class Together(ABC):
    """Parameters of one stratum.

    Attributes
    ----------
    name : of what has the prior.
    """

    name: str

    @abstractmethod
    def shapes(self, eta: float) -> Array:
        """The shape a (n,) of each element."""

    @abstractmethod
    def natural(self, z: Sequence[Scalar]) -> list[Scalar]:
        """Natural values of elements: plain arithmetic on scalars."""

    @abstractmethod
    def elements(self, natural: Array) -> Array:
        """Elements (n,) of natural values (n,)."""

    @abstractmethod
    def log_density(self, eta: float, phi: Array) -> Array:
        """Log density (m,) of φ (m, n) under LKJ(η)."""

    @abstractmethod
    def log_volume(self, phi: Array) -> Array:
        """log of the volume element of natural values over φ, (m,)."""


@dataclass(frozen=True, eq=False)
class Partials(Together):
    """Partial correlations z = tanh φ, each with whatever lies between two rows.

    Attributes
    ----------
    times : (n,) shapes over η. powers : (n, 2) of 1 − z and 1 + z in d natural / dz.
    join : natural values of z. part : z (n,) of natural values.
    """

    times: Array
    powers: Array
    join: Join
    part: Callable[[Array], Array]

    def shapes(self, eta: float) -> Array:
        return eta * self.times

    def natural(self, z: Sequence[Scalar]) -> list[Scalar]:
        return self.join(z)

    def elements(self, natural: Array) -> Array:
        return self.part(natural)

    def log_density(self, eta: float, phi: Array) -> Array:
        from scipy.special import betaln

        a = self.shapes(eta)
        logs = a * _log_1mz2(phi) - betaln(a, a) - (2 * a - 1) * np.log(2)
        return np.asarray(logs.sum(axis=1))

    def log_volume(self, phi: Array) -> Array:
        below, above = np.log(2) - np.logaddexp(0, 2 * phi), np.log(2) - np.logaddexp(0, -2 * phi)
        own = self.powers[:, 0] * below + self.powers[:, 1] * above
        return np.asarray((own + _log_1mz2(phi)).sum(axis=1))


def _log_1mz2(phi: Array) -> Array:
    """log(1 − tanh²φ)."""
    return np.asarray(2 * (np.log(2) - np.abs(phi) - np.log1p(np.exp(-2 * np.abs(phi)))))


@dataclass(frozen=True, eq=False)
class AnyMatrix(Together):
    """Every correlation of k visits; rows of the factor are (φ, 1) over their length, elements a C-vine's.

    A row of the factor is multivariate t under LKJ(η): its density is ∝ (1 + φ'φ)^{−(k + 2η − 1)/2}.

    Attributes
    ----------
    k : number of visits.
    """

    k: int

    @property
    def _vine(self) -> Vine:
        return Vine(self.k)

    def shapes(self, eta: float) -> Array:
        return np.array(self._vine.shapes(eta))

    def natural(self, z: Sequence[Scalar]) -> list[Scalar]:
        return self._vine.pairs(z)

    def elements(self, natural: Array) -> Array:
        return self._vine.free(natural)

    def log_density(self, eta: float, phi: Array) -> Array:
        from scipy.special import gammaln

        d, together = np.arange(1, self.k), self.k + 2 * eta - 1
        constant = gammaln(together / 2) - gammaln((together - d) / 2) - 0.5 * d * np.log(np.pi)
        return np.asarray(constant.sum() - 0.5 * together * self._log_lengths(phi))

    def log_volume(self, phi: Array) -> Array:
        return np.asarray(-0.5 * (self.k + 1) * self._log_lengths(phi))

    def _log_lengths(self, phi: Array) -> Array:
        """Sum (m,) over rows of the factor of log(1 + φ'φ)."""
        rows, _ = np.tril_indices(self.k, -1)
        squares = np.zeros((len(phi), self.k))
        np.add.at(squares.T, rows, (phi**2).T)
        return np.asarray(np.log1p(squares).sum(axis=1))

"""x = (θ, φ): all variance parameters that a criterion is searched over."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .relative import CovarianceMap
from .residual import Residual
from .units import basis_at

type Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Coordinates:
    """Where θ and φ lie in x (..., n): θ first.

    Attributes
    ----------
    covariance : what θ means. residual : what φ means, and σ where it is known.
    """

    covariance: CovarianceMap
    residual: Residual

    @property
    def n(self) -> int:
        """Length of x."""
        return self.covariance.n_theta + self.residual.n_phi

    def theta(self, x: Array) -> Array:
        """θ (..., n_theta), a view."""
        return x[..., : self.covariance.n_theta]

    def phi(self, x: Array) -> Array:
        """φ (..., n_phi), a view."""
        return x[..., self.covariance.n_theta :]

    def join(self, theta: ArrayLike, phi: ArrayLike) -> Array:
        """x (n,) of its two parts."""
        return np.concatenate([theta, phi], dtype=np.float64)

    def start(self, theta: ArrayLike) -> Array:
        """x (n,) of this θ, with the φ that R begins with."""
        return self.join(theta, self.residual.start)

    @cached_property
    def scale(self) -> Array:
        """Size of a natural change of each element of x (n,); φ has no bounds and no unit."""
        return self.join(self.covariance.scale, np.ones(self.residual.n_phi))

    def basis(self, x: Array) -> Array:
        """(n, n) dx/dξ: columns are natural changes at x that forget units and origins; φ has none."""
        out = np.eye(self.n)
        n_theta = self.covariance.n_theta
        out[:n_theta, :n_theta] = basis_at(self.covariance, self.theta(x))
        return out

    @property
    def linear(self) -> bool:
        """Is Λ linear in x, and R fixed?"""
        return self.covariance.linear and self.residual.n_phi == 0

    def normalize(self, x: Array) -> Array:
        """The x of the same covariances whose factors have no negative diagonal element."""
        return self.join(self.covariance.normalize(self.theta(x)), self.phi(x))

    def flat(self, x: Array) -> Array:
        """Every block's Λ, (..., n_lam)."""
        return self.covariance.flat(self.theta(x))

    def pull(self, x: Array, by_lam: Array, by_phi: Array | None = None) -> Array:
        """Gradient in x, (..., n), given those in Λ (..., n_lam) and, where it plays a part, φ."""
        out = np.zeros(x.shape)
        self.theta(out)[...] = self.covariance.pull(self.theta(x), by_lam)
        if by_phi is not None:
            self.phi(out)[...] = by_phi
        return out

    def jacobian(self, x: Array) -> Array:
        """d flat / dx, (n, n_lam); φ moves no Λ."""
        out = np.zeros((self.n, self.covariance.n_lam))
        out[: self.covariance.n_theta] = self.covariance.jacobian(self.theta(x))
        return out

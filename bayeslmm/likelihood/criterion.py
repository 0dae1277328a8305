"""The criterion of a design as a function of x = (θ, φ), its derivatives, and where its search begins."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from bayeslmm.kernel.kernel import Kernel
from bayeslmm.spec.coordinates import Coordinates
from bayeslmm.spec.covariance.algebra import inverse_factor
from bayeslmm.spec.design import Design
from bayeslmm.spec.relative import CovarianceMap

type Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Criterion:
    """x ↦ (criterion, gradient): the kernel's profiled criterion in coordinates x = (θ, φ).

    Attributes
    ----------
    kernel : the data's cross-products. coordinates : what x means. reml : restricted or not.
    """

    kernel: Kernel
    coordinates: Coordinates
    reml: bool

    @classmethod
    def of(cls, design: Design, reml: bool) -> "Criterion":
        """The criterion of a design."""
        return cls(design.kernel, design.coordinates, reml)

    @property
    def covariance(self) -> CovarianceMap:
        return self.coordinates.covariance

    @cached_property
    def sigma(self) -> float:
        """σ where it is known, else NaN, as the kernel takes it."""
        known = self.coordinates.residual.sigma
        return np.nan if known is None else known

    def at(self, lam: Array) -> tuple[float, Array]:
        """Value and gradient (n_lam,) with respect to the blocks' factors."""
        return self.kernel.criterion(lam, self.reml, self.sigma)

    def __call__(self, x: Array) -> tuple[float, Array]:
        """Value and gradient (n,)."""
        value, by_lam = self.at(self.coordinates.flat(x))
        return value, self.coordinates.pull(x, by_lam)

    @property
    def scale(self) -> Array:
        """Size of a natural change of each element of x."""
        return self.coordinates.scale

    def start(self) -> Array:
        """x (n,) of moment estimates, or at which each coef counts like the residual; φ as R says."""
        return self.coordinates.start(moment_start(self.kernel, self.covariance))

    def information(self, x: Array) -> Array | None:
        """The average information, (n, n), where differences of gradients would be dear."""
        if self.kernel.small:
            return None
        from bayeslmm.kernel.values.information import average_information

        lam, moves = self.coordinates.flat(x), self.coordinates.jacobian(x)
        return average_information(self.kernel, lam, moves, self.reml, self.sigma)

    def hessian(self, x: Array) -> Array:
        """(n, n) by central differences of the gradient."""
        steps = 1e-4 * self.scale
        columns = [
            (self(x + step)[1] - self(x - step)[1]) / (2 * size)
            for size, step in zip(steps, np.diag(steps), strict=True)
        ]
        hessian = np.array(columns).reshape(len(x), len(x))
        return np.asarray(0.5 * (hessian + hessian.T))


def moment_start(kernel: Kernel, covariance: CovarianceMap) -> Array:
    """θ of moment estimates, (n_theta,), or one at which each coef counts like the residual."""
    from bayeslmm.kernel.search.moment_start import relative_covariances

    T = relative_covariances(kernel.problem)
    if T is None:
        return covariance.start()
    theta = np.empty(covariance.n_theta)
    for slot in covariance.slots:
        root = inverse_factor(T[slot.block][slot.coefs, slot.coefs])
        theta[slot.theta] = slot.structure.start(root @ root.T)
    return theta

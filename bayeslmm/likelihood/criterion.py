"""The criterion of a design as a function of x = (θ, φ), its derivatives, and where its search begins."""

from collections import defaultdict
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from bayeslmm.kernel.effects.conditional import Conditional
from bayeslmm.kernel.factor.factored import Factored
from bayeslmm.kernel.kernel import Kernel
from bayeslmm.kernel.values.solved import Solved
from bayeslmm.spec.coordinates import Coordinates
from bayeslmm.spec.design import Design
from bayeslmm.spec.moving import AtPhi, Moving, Still
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
        if design.residual.n_phi == 0:
            return cls(design.kernel, design.coordinates, reml)
        return MovingCriterion(design.moving.start.kernel, design.coordinates, reml, design.moving)

    @property
    def covariance(self) -> CovarianceMap:
        return self.coordinates.covariance

    @cached_property
    def sigma(self) -> float:
        """σ where it is known, else NaN, as the kernel takes it."""
        known = self.coordinates.residual.sigma
        return np.nan if known is None else known

    def problem(self, phi: Array) -> AtPhi:
        """The cross-products at φ, and derivatives by it."""
        return Still(phi, self.kernel)

    def kernel_at(self, phi: Array) -> Kernel:
        """The cross-products at φ."""
        return self.problem(phi).kernel

    def at(self, lam: Array, phi: Array) -> tuple[float, Array]:
        """Value and gradient (n_lam,) with respect to the blocks' factors."""
        return self.kernel_at(phi).criterion(lam, self.reml, self.sigma)

    def __call__(self, x: Array) -> tuple[float, Array]:
        """Value and gradient (n,)."""
        value, by_lam = self.at(self.coordinates.flat(x), self.coordinates.phi(x))
        return value, self.coordinates.pull(x, by_lam)

    def many(self, x: Array) -> tuple[Array, Array]:
        """Values (m,) and gradients (m, n) at m points x (m, n), in one call of compiled code."""
        values, by_lam = self.kernel.criteria(self.coordinates.flat(x), self.reml, self.sigma)
        return values, self.coordinates.pull(x, by_lam)

    def values(self, x: Array) -> Array:
        """Values (m,) at m points x (m, n)."""
        return self.kernel.criteria(self.coordinates.flat(x), self.reml, self.sigma, False)[0]

    def conditional(self, lam: Array) -> Conditional:
        """Moments and random effects at Λ (n_lam,)."""
        return self.kernel.conditional(lam)

    def solved(self, conditional: Conditional) -> Solved:
        """Generalized least squares there, in the kernel's coordinates."""
        return conditional.solved

    def of_moments(self, x: Array, A_bar: Array) -> Array:
        """Gradient in x, (n,), of a function of A alone, given that in A (p + 1, p + 1)."""
        return self.coordinates.pull(x, self.kernel.pullback(self.coordinates.flat(x), 0.0, A_bar))

    @property
    def scale(self) -> Array:
        """Size of a natural change of each element of x."""
        return self.coordinates.scale

    def start(self) -> Array:
        """x (n,) of moment estimates, or at which each coef counts like the residual; φ as R says."""
        return self.coordinates.start(moment_start(self.kernel, self.covariance))

    def far_phi(self, x: Array) -> Array:
        """x (m, n) with φ elsewhere: there is none to move."""
        return x[None][:0]

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


@dataclass(frozen=True, eq=False)
class PointByPoint(Criterion):
    """A criterion whose values at many points are found one after the other."""

    def many(self, x: Array) -> tuple[Array, Array]:
        values, gradients = np.empty(len(x)), np.empty(x.shape)
        for i, point in enumerate(x):
            values[i], gradients[i] = self(point)
        return values, gradients

    def values(self, x: Array) -> Array:
        return self.many(x)[0]


@dataclass(frozen=True, eq=False)
class MovingCriterion(PointByPoint):
    """The criterion where R has parameters.

    Attributes
    ----------
    kernel : cross-products at the φ that R begins with. moving : the same at any φ.
    """

    moving: Moving

    def problem(self, phi: Array) -> AtPhi:
        return self._at_starts.get(phi.tobytes()) or self.moving.at(phi)

    @cached_property
    def _at_starts(self) -> dict[bytes, AtPhi]:
        """The problems at R's starts, where they are small: several looks around ask for them."""
        small = self.kernel.small and self.moving.by_class is not None
        starts = self.coordinates.residual.starts if small else ()
        return {start.tobytes(): self.moving.at(start) for start in starts}

    def __call__(self, x: Array) -> tuple[float, Array]:
        """Value and gradient (n,), from the rows anew."""
        at = self.problem(self.coordinates.phi(x))
        factored = at.kernel.factored(self.coordinates.flat(x))
        value, A_bar = at.kernel.profiled(factored, self.reml, self.sigma)
        if not np.isfinite(value):
            return np.inf, np.zeros(len(x))
        return value, self._pulled(at, factored, x, 1.0, A_bar)

    def _pulled(self, at: AtPhi, factored: Factored, x: Array, logdet_bar: float, A_bar: Array) -> Array:
        """Gradient in x, (n,), of a function of (log|V₀|, A), given its derivatives there."""
        by_phi = at.pull(factored, logdet_bar, A_bar)
        return self.coordinates.pull(x, factored.by_lam(logdet_bar, A_bar), by_phi)

    def of_moments(self, x: Array, A_bar: Array) -> Array:
        at = self.problem(self.coordinates.phi(x))
        return self._pulled(at, at.kernel.factored(self.coordinates.flat(x)), x, 0.0, A_bar)

    def values(self, x: Array) -> Array:
        """Values (m,); points with one φ ask for its rows once."""
        phis, places = self.coordinates.phi(x), defaultdict[bytes, list[int]](list)
        for number, phi in enumerate(phis):
            places[phi.tobytes()].append(number)
        out, lam = np.empty(len(x)), self.coordinates.flat(x)
        for here in places.values():
            out[here] = self.kernel_at(phis[here[0]]).criteria(lam[here], self.reml, self.sigma, False)[0]
        return np.where(np.isfinite(out), out, np.inf)

    def start(self) -> Array:
        """The lowest of R's starts, at the θ of moment estimates."""
        usual = super().start()
        starts = np.vstack([usual, self.far_phi(usual)])
        return starts[int(np.argmin(self.values(starts)))] if len(starts) > 1 else usual

    def sharp_at(self, x: Array) -> "MovingCriterion":
        """The same with the digits that x asks for."""
        moving = self.moving.sharp_at(self.coordinates.phi(x))
        return self if moving is self.moving else replace(self, moving=moving)

    def far_phi(self, x: Array) -> Array:
        """x (m, n) with φ at R's other starts."""
        points = np.tile(x, (len(self.coordinates.residual.starts) - 1, 1))
        self.coordinates.phi(points)[...] = self.coordinates.residual.starts[1:]
        return points

    def information(self, x: Array) -> Array | None:
        """The expected one, where φ is all there is and has many parameters."""
        products = self.moving.by_class
        if products is None or self.covariance.n_theta:
            return None
        return products.precision.at(x).information(self.coordinates.residual.sigma_free)


def moment_start(kernel: Kernel, covariance: CovarianceMap) -> Array:
    """θ of moment estimates, (n_theta,), or one at which each coef counts like the residual."""
    from bayeslmm.kernel.search.moment_start import relative_covariances

    T = relative_covariances(kernel.problem)
    if T is None:
        return covariance.start()
    theta = np.empty(covariance.n_theta)
    for slot in covariance.slots:
        theta[slot.theta] = slot.structure.near(T[slot.block][slot.coefs, slot.coefs])
    return theta

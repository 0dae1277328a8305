"""Parameters of the residual's own, held at a value."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from bayeslmm.likelihood.fitted import Fitted
from bayeslmm.likelihood.inference.profile.held import Held, Solution
from bayeslmm.likelihood.inference.profile.inner import Inner, Model

type Array = NDArray[np.float64]

EDGE = 1e-9  # of a range, from its ends
FARTHEST = 60.0  # along the line, in φ, which has no unit


class OfResidual(Held):
    """A parameter g(φ), as people know it, of which σ is no part."""

    def __init__(self, fit: Fitted, label: str, place: int) -> None:
        """Take its place among the residual's."""
        super().__init__(fit, label)
        self.place = place
        low, high = self.residual.parameters(self.phi, fit.sigma).bounds[place].tolist()
        self.range = (low, high)

    @property
    def natural_step(self) -> float:
        """Where there is no standard error: a share of what it is."""
        return 0.1 * max(abs(self.estimate), 0.1)

    def value_of(self, phi: Array) -> float:
        """g(φ), with σ as it is known, or 1."""
        sigma = self.residual.sigma or 1.0
        return float(self.residual.natural(phi[None], np.array([sigma]))[0, self.place])

    def slope_of(self, phi: Array) -> Array:
        """dg/dφ, (n_phi,)."""
        return self.residual.parameters(phi, self.residual.sigma or 1.0).slopes[self.place, :-1]


class HeldAlone(OfResidual):
    """A parameter without σ: φ = Nz + td moves along d until g(φ) is right, z are coordinates of the search.

    d is g's gradient at the estimate; where g knows one element of φ alone, that element.
    """

    def __init__(self, fit: Fitted, label: str, place: int) -> None:
        """Find the line."""
        super().__init__(fit, label, place)
        slope = self.slope_of(self.phi)
        self.along = slope / (float(np.linalg.norm(slope)) or 1.0)
        self.across = np.linalg.qr(np.column_stack([self.along, np.eye(len(slope))]))[0][:, 1:]

    @property
    def reason(self) -> str:
        """The first level's standard deviation is σ."""
        return "" if self.along.any() else "it is sigma, which is known"

    @property
    def start(self) -> Array:
        """θ and z."""
        return np.append(self.fit.theta_values, self.phi @ self.across)

    @property
    def scale(self) -> Array:
        """Natural changes of both."""
        return np.append(self.covariance.scale, np.ones(self.across.shape[1]))

    def split(self, x: Array) -> tuple[Array, Array]:
        """θ, and z."""
        n = self.covariance.n_theta
        return x[:n], x[n:]

    def at(self, value: float, x: Array) -> tuple[Solution, Array]:
        """At θ and z; infinite where no φ on the line has the value."""
        theta, z = self.split(x)
        phi = self._on_the_line(self.across @ z, value)
        if phi is None:
            nothing = Model(np.inf, self.fit.lam, self.phi, self.fit.beta_values, self.fit.sigma)
            return Solution(x, nothing), np.zeros(len(x))
        model, by_theta, by_phi = self.found(value, theta, self.inner(phi))
        slope = self.slope_of(phi)
        by_z = self.across.T @ (by_phi - slope * (self.along @ by_phi) / (self.along @ slope))
        return Solution(x, model), np.append(by_theta, by_z)

    def found(self, value: float, own: Array, inner: Inner) -> tuple[Model, Array, Array]:
        """At θ."""
        del value
        return self._in_theta(inner.profiled(self.covariance.flat(own), self.residual.sigma), own)

    def _on_the_line(self, foot: Array, value: float) -> Array | None:
        """φ = foot + td with g(φ) = value."""
        from scipy.optimize import brentq

        wanted = self._inside(value)

        def short(t: float) -> float:
            return self.value_of(foot + t * self.along) - wanted

        near = float(self.phi @ self.along)
        ends = _bracket(short, near)
        return None if ends is None else foot + float(brentq(short, *ends, xtol=1e-14)) * self.along

    def _inside(self, value: float) -> float:
        """The value, off the ends of its range."""
        low, high = self.range
        width = high - low if np.isfinite(high - low) else max(abs(self.estimate), 1.0)
        return float(np.clip(value, low + EDGE * width, high - EDGE * width))


class HeldAbsolute(OfResidual):
    """A standard deviation of a level of rows, σ g(φ): at each φ it says what σ is."""

    @property
    def natural_step(self) -> float:
        """That of σ."""
        return self.fit.sigma / float(np.sqrt(2 * self.fit.design.n))

    def found(self, value: float, own: Array, inner: Inner) -> tuple[Model, Array, Array]:
        """At θ."""
        phi = inner.problem.phi
        ratio = self.value_of(phi)
        found = inner.profiled(self.covariance.flat(own), max(value, EDGE * self.fit.sigma) / ratio)
        model, by_theta, by_phi = self._in_theta(found, own)
        return model, by_theta, by_phi - found[1].log_sigma * self.slope_of(phi) / ratio


def _bracket(short: Callable[[float], float], near: float) -> tuple[float, float] | None:
    """Ends of different sign about a place, farther and farther apart."""
    here, reach = short(near), 0.5
    while reach < FARTHEST:
        for end in (near - reach, near + reach):
            if short(end) * here <= 0:
                return near, end
        reach *= 2
    return None


def held_of_residual(fit: Fitted, label: str, place: int) -> Held:
    """One of the residual's own parameters, by its place among them."""
    residual = fit.design.residual
    phi = fit.design.coordinates.phi(fit.optimum.x)
    absolute = residual.sigma_free and residual.parameters(phi, fit.sigma).slopes[place, -1] != 0
    return (HeldAbsolute if absolute else HeldAlone)(fit, label, place)

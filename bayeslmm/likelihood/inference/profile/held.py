"""One parameter held at a value, the others at their best: the inner problem of a profile.

The deviance is −2ℓ with β, and σ where it is free, at their best for Λ and φ; everything comes from
(log|V₀|, A) and the pull-back of its derivatives.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from bayeslmm.kernel.search.optimizer import minimize
from bayeslmm.likelihood.estimates import wald_table
from bayeslmm.likelihood.fitted import Fitted
from bayeslmm.likelihood.inference.profile.inner import Inner, Model, Slopes
from bayeslmm.spec.units import off_boundary

type Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Solution:
    """The best model under a constraint.

    Attributes
    ----------
    x : coordinates of the search. model : found there.
    """

    x: Array
    model: Model

    @property
    def deviance(self) -> float:
        """−2ℓ."""
        return self.model.deviance


class Held(ABC):
    """A parameter to be held; coordinates of the search are its own, then φ.

    Attributes
    ----------
    fit : by ML. label : of the parameter. range : values it can have.
    """

    def __init__(self, fit: Fitted, label: str) -> None:
        """Take the ML fit."""
        self.fit, self.label = fit, label
        self.covariance, self.residual = fit.design.covariance, fit.design.residual
        self.phi = fit.design.coordinates.phi(fit.optimum.x)

    range: tuple[float, float] = (-np.inf, np.inf)

    @property
    def reason(self) -> str:
        """Why there is no profile, or nothing."""
        return ""

    @cached_property
    def estimate(self) -> float:
        """The ML estimate."""
        return float(self.row["estimate"])

    @cached_property
    def step(self) -> float:
        """About how far the parameter goes while the deviance rises by 1."""
        se = float(self.row["se"])
        return se if np.isfinite(se) and se > 0 else self.natural_step

    @property
    def natural_step(self) -> float:
        """A step where there is no standard error."""
        return self.fit.sigma

    @property
    def row(self) -> dict[str, float]:
        """The parameter's row of the fit's estimates."""
        return wald_table(self.fit, 0.95, ranef=False).row(self.label)

    @property
    def start(self) -> Array:
        """Coordinates of the search at the estimate."""
        return np.append(self.own_start, self.phi)

    @property
    def scale(self) -> Array:
        """Natural changes of the coordinates."""
        return np.append(self.own_scale, np.ones(len(self.phi)))

    @property
    def own_start(self) -> Array:
        """Those besides φ at the estimate: θ, if nothing else is said."""
        return self.fit.theta_values

    @property
    def own_scale(self) -> Array:
        """Natural changes of these."""
        return self.covariance.scale

    def split(self, x: Array) -> tuple[Array, Array]:
        """Own coordinates, and φ."""
        n = len(x) - len(self.phi)
        return x[:n], x[n:]

    def at(self, value: float, x: Array) -> "tuple[Solution, Array]":
        """The model with the parameter at `value` and coordinates x, and the deviance's slope in x."""
        own, phi = self.split(x)
        model, by_own, by_phi = self.found(value, own, self.inner(phi))
        return Solution(x, model), np.append(by_own, by_phi)

    def inner(self, phi: Array) -> Inner:
        """The models at φ."""
        return Inner(self.fit.objective.problem(phi), self.fit.design.n)

    @abstractmethod
    def found(self, value: float, own: Array, inner: Inner) -> "tuple[Model, Array, Array]":
        """The model at own coordinates, among those of one φ, and the deviance's slopes in both."""

    def near(self, x: Array, value: float) -> Array:
        """Coordinates to search from, given those found for another value."""
        del value
        return x

    def starts(self, x: Array, value: float) -> tuple[Array, ...]:
        """Where to search from: `near`, and off the boundary where the fit is on it.

        A variance of 0 is a stationary point whatever the parameter is held at, though no longer a minimum.
        """
        near = self.near(x, value)
        if not self.fit.is_singular:
            return (near,)
        theta, phi = self.split(near)
        return near, np.append(off_boundary(self.covariance, theta), phi)

    def solve(self, value: float, x: Array) -> Solution:
        """The best model with the parameter at `value`, searched from `x`."""
        return min((self._searched(value, start) for start in self.starts(x, value)), key=_deviance)

    def reaches(self, value: float, deviance: float) -> bool:
        """Is a model with the parameter at `value` as good as that? Searched for where starts aren't."""
        starts = self.starts(self.start, value)
        at_once = any(self.at(value, start)[0].deviance <= deviance for start in starts)
        return at_once or self.solve(value, self.start).deviance <= deviance

    def _searched(self, value: float, start: Array) -> Solution:
        if not len(start):
            return self.at(value, start)[0]

        def objective(point: Array) -> tuple[float, Array]:
            solution, slope = self.at(value, point)
            return solution.deviance, slope

        best = minimize(objective, start, self.scale, tolerance=1e-13).x
        return self.at(value, best)[0]

    def _in_theta(self, found: tuple[Model, Slopes], theta: Array) -> tuple[Model, Array, Array]:
        """The same with slopes in θ and φ."""
        model, slopes = found
        return model, self.covariance.jacobian(theta) @ slopes.lam, slopes.phi


def _deviance(solution: Solution) -> float:
    return solution.deviance

"""The Gaussian that touches a log density at its mode."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from bayeslmm.posterior.target import Target

type Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class LaplaceFit:
    """Mode and curvature of a log density.

    Attributes
    ----------
    mode : (d,). value : log density there.
    root : (d, d), root·rootᵀ is the inverse of minus the Hessian.
    converged : whether the mode was found and the Hessian is negative definite there.
    n_evaluations : gradient evaluations.
    """

    mode: Array
    value: float
    root: Array
    converged: bool
    n_evaluations: int

    @property
    def log_mass(self) -> float:
        """Logarithm of the mass that the Gaussian holds, up to a constant that all modes share."""
        return self.value + float(np.linalg.slogdet(self.root)[1])

    def distance(self, phi: Array) -> float:
        """How far a point is from the mode, in standard deviations."""
        return float(np.linalg.norm(np.linalg.solve(self.root, phi - self.mode)))


def laplace(
    target: Target, start: Array | None = None, until: Callable[[Array], bool] | None = None
) -> LaplaceFit:
    """Find the mode that a search from `start` ends in, and the curvature there.

    Parameters
    ----------
    until : of a point, whether to go on isn't worth it; the fit hasn't converged then.
    """
    from bayeslmm.kernel.search.optimizer import minimize

    start = target.start() if start is None else start
    if not target.size:
        return LaplaceFit(start, float(target(start[None])[0]), np.zeros((0, 0)), True, 1)
    with np.errstate(over="ignore", invalid="ignore"):  # far steps are refused by their value
        one, many = partial(_negative_at, target), partial(_negative, target)
        found = minimize(one, start, np.ones(target.size), tolerance=1e-11, many=many, until=until)
    values, vectors = np.linalg.eigh(found.hessian)
    floored = np.maximum(values, 1e-2)  # a direction without curvature: a wide but finite proposal
    definite = bool(values[0] > 1e-2)
    return LaplaceFit(
        found.x, -found.value, vectors / np.sqrt(floored), found.converged and definite, found.n_evaluations
    )


def _negative(target: Target, phi: Array) -> tuple[Array, Array]:
    """Minus log densities (m,) and gradients (m, d) of points (m, d), ∞ and 0 where there is none."""
    values, gradients = target.with_gradients(phi)
    known = np.isfinite(values)
    return np.where(known, -values, np.inf), np.where(known[:, None], -gradients, 0.0)


def _negative_at(target: Target, phi: Array) -> tuple[float, Array]:
    values, gradients = _negative(target, phi[None])
    return float(values[0]), gradients[0]

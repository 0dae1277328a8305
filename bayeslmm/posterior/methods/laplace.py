"""The Gaussian that touches a log density at its mode."""

from dataclasses import dataclass

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


def laplace(target: Target, start: Array | None = None) -> LaplaceFit:
    """Find the mode that a search from `start` ends in, and the curvature there."""
    from bayeslmm.kernel.search.optimizer import minimize

    start = target.start() if start is None else start
    if not target.size:
        return LaplaceFit(start, float(target(start[None])[0]), np.zeros((0, 0)), True, 1)
    with np.errstate(over="ignore", invalid="ignore"):  # far steps are refused by their value
        found = minimize(lambda phi: _negative(target, phi), start, np.ones(target.size), tolerance=1e-11)
    values, vectors = np.linalg.eigh(found.hessian)
    floored = np.maximum(values, 1e-2)  # a direction without curvature: a wide but finite proposal
    definite = bool(values[0] > 1e-2)
    return LaplaceFit(
        found.x, -found.value, vectors / np.sqrt(floored), found.converged and definite, found.n_evaluations
    )


def _negative(target: Target, phi: Array) -> tuple[float, Array]:
    value, gradient = target.value_and_gradient(phi)
    return (-value, -gradient) if np.isfinite(value) else (np.inf, np.zeros(len(phi)))

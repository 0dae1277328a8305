"""The kernel's log density where R has parameters, and its gradient, R's own included."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from bayeslmm.posterior.fixed_effects import prior_of_delta
from bayeslmm.spec.design import Design
from bayeslmm.spec.priors import Priors

type Array = NDArray[np.float64]


class MovingDensity(NamedTuple):
    """A log density and its derivatives by Λ (n_lam,), σ, β (p,) and φ (n_phi,).

    That by β is empty where β is integrated out.
    """

    value: float
    lam: Array
    sigma: float
    beta: Array
    phi: Array


def density_at(
    design: Design, priors: Priors, lam: Array, sigma: float, beta: Array | None, phi: Array
) -> MovingDensity:
    """log p(y | β, σ, Λ, φ), or with β integrated out under its prior where it isn't given.

    Coordinates of β count as fixed while R moves: the density doesn't depend on them.
    """
    from bayeslmm.kernel.values.density import integrated_at, marginal_at

    at = design.moving.at(phi)
    factored, problem = at.kernel.factored(lam), at.kernel.problem
    moments = factored.logdet, factored.A
    if beta is None:
        prior = prior_of_delta(at.kernel, priors)
        value, A_bar, by_sigma = integrated_at(*moments, sigma, prior.precision, prior.shift, problem)
        value, by_beta = value + prior.log_constant, np.zeros(0)
    else:
        value, A_bar, by_sigma, by_beta = marginal_at(*moments, sigma, beta, problem)
    if not np.isfinite(value):
        return MovingDensity(-np.inf, np.zeros(len(lam)), 0.0, 0 * by_beta, np.zeros(len(phi)))
    by_phi = at.pull(factored, -0.5, A_bar)
    return MovingDensity(value, factored.by_lam(-0.5, A_bar), by_sigma, by_beta, by_phi)

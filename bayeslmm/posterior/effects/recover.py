"""Exact draws of β and b given draws of the other parameters."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from bayeslmm.kernel.effects.draws import draw_effects
from bayeslmm.kernel.effects.nearby_draws import NearbyDraws
from bayeslmm.kernel.kernel import Kernel
from bayeslmm.kernel.values.fixed_effects import PriorOfDelta
from bayeslmm.posterior.fixed_effects import prior_of_delta
from bayeslmm.posterior.parameters import Index, Parameters, over_phi, relative_factors
from bayeslmm.spec.design import Design
from bayeslmm.spec.priors import Priors

type Array = NDArray[np.float64]

BATCH = 64  # draws solved for together where a factor is dear


def recover_effects(
    design: Design, priors: Priors, parameters: Parameters, seed: np.random.SeedSequence
) -> tuple[Array, Array]:
    """Draw β and b from their joint Gaussian given y and the other parameters, for one chain.

    Consecutive draws that share their parameters share one factorization; where a factor is dear, all do.
    A longer chain begins with the draws of a shorter one: exactly, or to ten digits where a factor is dear.

    Returns
    -------
    beta : (m, p), as given where it was sampled. b : (m, q) in the order of Z's columns.
    """
    rng, (m, p, q) = np.random.default_rng(seed), (len(parameters), design.p, design.q)
    if dear(design) and not design.residual.n_phi:
        return _nearby(design, priors, parameters, rng.standard_normal)
    normal = rng.standard_normal((m, p + q))

    def one(at: Design, own: Index) -> tuple[Array, Array]:
        draws = parameters.take(own)
        fixed, prior = _fixed(at.kernel, priors, draws, normal[own, :p])
        lam, sigma = relative_factors(at, draws), np.ascontiguousarray(draws.sigma)
        delta, b = draw_effects(at.kernel, lam, sigma, fixed, np.ascontiguousarray(normal[own, p:]), prior)
        return (at.kernel.to_beta(delta) if draws.beta is None else draws.beta), b

    beta, b = over_phi(one, design, parameters.phi)
    return beta, b


def expected_effects(design: Design, priors: Priors, parameters: Parameters) -> tuple[Array, Array]:
    """E(β | y, φ) (m, p) and E(b | y, φ) (m, q) at every draw of the other parameters φ.

    Their spread over draws is what uncertainty about φ adds to a random effect.
    """

    def one(at: Design, own: Index) -> tuple[Array, Array]:
        return _nearby(at, priors, parameters.take(own), np.zeros)

    beta, b = over_phi(one, design, parameters.phi)
    return beta, b


def dear(design: Design) -> bool:
    """Whether one factor should serve many draws: its tail is LAPACK's."""
    return design.kernel.large_tail


def _nearby(
    design: Design, priors: Priors, parameters: Parameters, normal: Callable[[tuple[int, int]], Array]
) -> tuple[Array, Array]:
    """Draws by one factor for all, a batch at a time; `normal` gives standard normal numbers, or zeros."""
    kernel, m = design.kernel, len(parameters)
    fixed, prior = _fixed(kernel, priors, parameters, np.zeros((m, design.p)))
    lam, sigma = relative_factors(design, parameters), parameters.sigma
    draws = NearbyDraws.around(kernel, lam.mean(axis=0), float(sigma.mean()), prior)
    delta, b = np.empty((m, design.p)), np.empty((m, design.q))
    for first in range(0, m, BATCH):
        own = slice(first, min(first + BATCH, m))
        z = normal((own.stop - first, draws.n_normals))
        delta[own], b[own] = draws.draw(lam[own], sigma[own], fixed[own], z)
    return (kernel.to_beta(delta) if parameters.beta is None else parameters.beta), b


def _fixed(
    kernel: Kernel, priors: Priors, parameters: Parameters, normal: Array
) -> tuple[Array, PriorOfDelta | None]:
    """What decides δ: its own values where β was sampled; else normal numbers (m, p) and a prior."""
    if parameters.beta is not None:
        return kernel.to_delta(parameters.beta), None
    return np.ascontiguousarray(normal), prior_of_delta(kernel, priors)

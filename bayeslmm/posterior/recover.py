"""Exact draws of β and b given draws of the other parameters."""

import numpy as np
from numpy.typing import NDArray

from bayeslmm.kernel.recover import PriorOfDelta, draw_effects
from bayeslmm.posterior.fixed_effects import gaussian_prior
from bayeslmm.posterior.parameters import Parameters, relative_factors
from bayeslmm.spec.design import Design
from bayeslmm.spec.priors import Priors

type Array = NDArray[np.float64]


def recover_effects(
    design: Design, priors: Priors, parameters: Parameters, seed: np.random.SeedSequence
) -> tuple[Array, Array]:
    """Draw β and b from their joint Gaussian given y and the other parameters, for one chain.

    Consecutive draws that share their parameters share one factorization.

    Returns
    -------
    beta : (m, p), as given where it was sampled. b : (m, q) in the order of Z's columns.
    """
    kernel, m = design.kernel, len(parameters)
    rng = np.random.default_rng(seed)
    normal, z = rng.standard_normal((m, design.p)), rng.standard_normal((m, design.q))
    given = parameters.beta
    fixed = normal if given is None else kernel.to_delta(given)
    prior = prior_of_delta(design, priors) if given is None else None
    lam = relative_factors(design, parameters)
    delta, b = draw_effects(kernel, lam, parameters.sigma, fixed, z, prior)
    return (kernel.to_beta(delta) if given is None else given), b


def prior_of_delta(design: Design, priors: Priors) -> PriorOfDelta:
    """The flat or normal prior of β in the kernel's coordinates."""
    prior = gaussian_prior(priors)
    return PriorOfDelta.of_beta(design.kernel, prior.precision, prior.shift)

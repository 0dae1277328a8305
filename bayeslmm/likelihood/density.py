"""Log densities at natural parameters, as plain numbers: the kernel's side of the certificate."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bayeslmm.spec.design import Design
from bayeslmm.spec.relative import ByGroup

type Array = NDArray[np.float64]


def marginal_loglik(design: Design, beta: ArrayLike, sigma: float, sd: ByGroup, cor: ByGroup) -> float:
    """log p(y | β, σ, sd, cor), b integrated out."""
    from bayeslmm.kernel.values.density import marginal

    lam = design.covariance.from_natural(sd, cor, sigma)
    given = np.asarray(beta, dtype=np.float64)
    return float(marginal(lam, sigma, given, design.kernel.problem)[0])


def restricted_loglik(design: Design, sigma: float, sd: ByGroup, cor: ByGroup) -> float:
    """ℓ_R(σ, sd, cor): b integrated out, and β under a flat prior (Harville 1974)."""
    from bayeslmm.kernel.values.density import integrated

    lam = design.covariance.from_natural(sd, cor, sigma)
    flat = np.zeros((design.p, design.p)), np.zeros(design.p)
    return float(integrated(lam, sigma, *flat, design.kernel.problem)[0])


def conditional_modes(design: Design, beta: ArrayLike, sigma: float, sd: ByGroup, cor: ByGroup) -> Array:
    """E(b | y, β, σ, sd, cor), (q,) in the order of Z's columns."""
    kernel = design.kernel
    conditional = kernel.conditional(design.covariance.from_natural(sd, cor, sigma))
    return conditional.solution(kernel.to_delta(np.asarray(beta, dtype=np.float64)))


def restricted_mean(design: Design, sigma: float, sd: ByGroup, cor: ByGroup) -> Array:
    """β̂(σ, sd, cor), (p,): the generalized least-squares estimate, the mean of β under a flat prior."""
    kernel = design.kernel
    moments = kernel.moments(design.covariance.from_natural(sd, cor, sigma))
    return kernel.to_beta(moments.solved.delta)

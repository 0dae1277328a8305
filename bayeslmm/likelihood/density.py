"""Log densities at natural parameters, as plain numbers: the kernel's side of the certificate."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bayeslmm.spec.design import Design
from bayeslmm.spec.relative import ByGroup

type Array = NDArray[np.float64]


def marginal_loglik(design: Design, beta: ArrayLike, sigma: float, sd: ByGroup, cor: ByGroup) -> float:
    """log p(y | β, σ, sd, cor), b integrated out."""
    from bayeslmm.kernel.densities import marginal_density

    lam = design.covariance.from_natural(sd, cor, sigma)
    kernel = design.kernel
    given = np.asarray(beta, dtype=np.float64)
    return float(marginal_density(lam, sigma, given, kernel.ints, kernel.floats)[0])


def restricted_loglik(design: Design, sigma: float, sd: ByGroup, cor: ByGroup) -> float:
    """ℓ_R(σ, sd, cor): b integrated out, and β under a flat prior (Harville 1974)."""
    from bayeslmm.kernel.densities import integrated_density

    lam = design.covariance.from_natural(sd, cor, sigma)
    kernel, p = design.kernel, design.p
    flat = np.zeros((p, p)), np.zeros(p)
    return float(integrated_density(lam, sigma, *flat, kernel.ints, kernel.floats)[0])


def conditional_modes(design: Design, beta: ArrayLike, sigma: float, sd: ByGroup, cor: ByGroup) -> Array:
    """E(b | y, β, σ, sd, cor), (q,) in the order of Z's columns."""
    kernel = design.kernel
    conditional = kernel.conditional(design.covariance.from_natural(sd, cor, sigma))
    return conditional.solution(kernel.to_delta(np.asarray(beta, dtype=np.float64)))


def restricted_mean(design: Design, sigma: float, sd: ByGroup, cor: ByGroup) -> Array:
    """β̂(σ, sd, cor), (p,): the generalized least-squares estimate, the mean of β under a flat prior."""
    kernel = design.kernel
    A = kernel.moments(design.covariance.from_natural(sd, cor, sigma)).A
    return kernel.to_beta(np.linalg.solve(A[:-1, :-1], A[:-1, -1]))

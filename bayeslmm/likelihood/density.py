"""Log densities at natural parameters, as plain numbers: the kernel's side of the certificate."""

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bayeslmm.spec.design import Design
from bayeslmm.spec.relative import ByGroup

if TYPE_CHECKING:
    from bayeslmm.kernel.values.fixed_effects import PriorOfDelta

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


def integrated_loglik(
    design: Design, prior: "PriorOfDelta", sigma: float, sd: ByGroup, cor: ByGroup
) -> tuple[float, Array]:
    """log p(y | σ, sd, cor), b and a Gaussian or flat β integrated out, and E(β | y, σ, sd, cor), (p,)."""
    from bayeslmm.kernel.values.density import integrated
    from bayeslmm.kernel.values.fixed_effects import fixed_effects_system

    kernel, lam = design.kernel, design.covariance.from_natural(sd, cor, sigma)
    value = float(integrated(lam, sigma, prior.precision, prior.shift, kernel.problem)[0])
    system = fixed_effects_system(kernel.moments(lam).A, sigma, prior.precision, prior.shift)
    delta = np.linalg.solve(system[:-1, :-1], system[-1, :-1])
    return value + prior.log_constant, kernel.to_beta(delta)

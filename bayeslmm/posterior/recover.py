"""Exact draws of β and b given draws of the other parameters."""

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from bayeslmm.posterior.fixed_effects import GaussianPrior, gaussian_prior
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
    m = len(parameters)
    rng = np.random.default_rng(seed)
    normal = rng.standard_normal((m, design.p)), rng.standard_normal((m, design.q))
    beta, b = np.empty((m, design.p)), np.empty((m, design.q))
    lam = relative_factors(design, parameters)
    prior = None if parameters.beta is not None else _in_kernel_coordinates(design, gaussian_prior(priors))
    for run in _runs(lam, parameters):
        beta[run], b[run] = _draw(
            design, parameters.take(run), lam[run.start], prior, normal[0][run], normal[1][run]
        )
    return beta, b


def _draw(
    design: Design, run: Parameters, lam: Array, prior: GaussianPrior | None, z_beta: Array, z_b: Array
) -> tuple[Array, Array]:
    """Draws (m', p), (m', q) at one (σ, Λ)."""
    kernel, sigma = design.kernel, float(run.sigma[0])
    conditional = kernel.conditional(lam)
    if prior is None:
        assert run.beta is not None
        beta, delta = run.beta, kernel.to_delta(run.beta)
    else:
        delta = _draw_delta(conditional.A, sigma, prior, z_beta)
        beta = kernel.to_beta(delta)
    return beta, conditional.solution(delta) + sigma * conditional.draw(np.ascontiguousarray(z_b.T)).T


def _draw_delta(A: Array, sigma: float, prior: GaussianPrior, z: Array) -> Array:
    """δ ~ N(K⁻¹c, K⁻¹), K = A_QQ/σ² + P, c = A_Qr/σ² + s: (m', p)."""
    K = A[:-1, :-1] / sigma**2 + prior.precision
    L = np.linalg.cholesky(K)
    mean = np.linalg.solve(K, A[:-1, -1] / sigma**2 + prior.shift)
    return mean + np.linalg.solve(L.T, z.T).T


def _in_kernel_coordinates(design: Design, prior: GaussianPrior) -> GaussianPrior:
    """The prior of β as one of δ = R_X β − γ."""
    kernel = design.kernel
    if not design.p or not np.any(prior.precision):
        return prior
    inverse = np.linalg.inv(kernel.R_X)
    precision = inverse.T @ prior.precision @ inverse
    return GaussianPrior(precision, inverse.T @ prior.shift - precision @ kernel.gamma_ls, prior.log_constant)


def _runs(lam: Array, parameters: Parameters) -> list[slice]:
    """Stretches of consecutive draws with the same σ and Λ."""
    together = np.column_stack([lam, parameters.sigma])
    starts = np.flatnonzero(np.any(np.diff(together, axis=0) != 0, axis=1)) + 1
    bounds = [0, *starts.tolist(), len(together)]
    return [slice(first, last) for first, last in pairwise(bounds)]

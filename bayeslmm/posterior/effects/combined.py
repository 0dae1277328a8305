"""Variances of linear combinations of β and b given y and the other parameters."""

import numpy as np
from numpy.typing import NDArray

from bayeslmm.estimands.combinations import Combinations, covariance
from bayeslmm.kernel.effects.conditional import Conditional
from bayeslmm.posterior.fixed_effects import prior_of_delta
from bayeslmm.posterior.parameters import Index, Parameters, over_phi, relative_factors
from bayeslmm.spec.design import Design
from bayeslmm.spec.priors import Priors

type Array = NDArray[np.float64]


def combined_variances(
    design: Design, priors: Priors, parameters: Parameters, combinations: Combinations
) -> Array:
    """Var(Cβ + Db | y, φ) of every combination at every draw of the other parameters φ, (m, c)."""

    def one(at: Design, own: Index) -> tuple[Array]:
        kernel, draws = at.kernel, parameters.take(own)
        C = np.linalg.solve(kernel.R_X.T, combinations.C.T).T  # of δ, β = R_X⁻¹(γ + δ)
        of_delta = Combinations(combinations.labels, C, combinations.D)
        precision = prior_of_delta(kernel, priors).precision if draws.beta is None else None
        pairs = zip(relative_factors(at, draws), draws.sigma, strict=True)
        rows = [_variances(kernel.conditional(lam), sigma, of_delta, precision) for lam, sigma in pairs]
        return (np.array(rows),)

    return over_phi(one, design, parameters.phi)[0]


def _variances(
    found: Conditional, sigma: float, combinations: Combinations, precision: Array | None
) -> Array:
    """(c,) at one (σ, Λ); the precision of δ's prior is None where δ is given."""
    p = len(found.A) - 1
    vcov = np.zeros((p, p)) if precision is None else np.linalg.inv(found.A[:p, :p] / sigma**2 + precision)

    def given_beta(columns: Array) -> Array:
        if not columns.any():
            return np.zeros(columns.shape)
        root = sigma * found.draw(np.eye(len(columns)))
        return np.asarray(root @ (root.T @ columns))

    return np.diag(covariance(combinations, vcov, -found.b_Q, given_beta))

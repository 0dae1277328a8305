"""log p(y_j | y_-j, φ) of every level of the first grouping factor: what leaving groups out asks for."""

import numpy as np
from numpy.typing import NDArray

from bayeslmm.kernel.problem.relation import related_products
from bayeslmm.kernel.values.leave_out import GroupedRows, group_log_densities
from bayeslmm.posterior.fixed_effects import prior_of_delta
from bayeslmm.posterior.parameters import Parameters, relative_factors
from bayeslmm.spec.design import Design
from bayeslmm.spec.priors import Priors

type Array = NDArray[np.float64]

MOST_WORK = 1e10  # multiplications: some ten seconds


def affordable(design: Design, n_draws: int) -> bool:
    """Whether the densities of all draws are a matter of seconds."""
    if not design.blocks:
        return False
    sizes = np.bincount(design.blocks[0].codes).astype(float)
    q = float(design.q)
    per_draw = q**2 * max(len(design.blocks), 1) + design.n * q * (design.p + 2) + q * np.sum(sizes**2) / 2
    return bool(n_draws * per_draw < MOST_WORK and q < 1000)


def group_log_likelihood(design: Design, priors: Priors, parameters: Parameters) -> Array:
    """log p(y_j | y_-j, φ), (m, J): random effects integrated out, β too unless it is part of φ."""
    kernel, given = design.kernel, parameters.beta
    delta = np.zeros((len(parameters), design.p)) if given is None else kernel.to_delta(given)
    prior = prior_of_delta(design, priors) if given is None else None
    lam = relative_factors(design, parameters)
    rows = grouped_rows(design)
    return group_log_densities(lam, parameters.sigma, delta, prior, rows, kernel.problem)


def grouped_rows(design: Design) -> GroupedRows:
    """The rows of a design by level of its first grouping factor."""
    from scipy.sparse import csr_array

    kernel, codes = design.kernel, design.blocks[0].codes
    order = np.argsort(codes, kind="stable")
    whiten = design.residual.whiten
    Q = np.linalg.solve(kernel.R_X.T, whiten(design.X).T).T
    r = whiten(design.y - design.offset) - Q @ kernel.gamma_ls
    Z = whiten(design.Z)
    if kernel.known:
        Z = csr_array(related_products(kernel.known, kernel.problem, Z.toarray().T).T)
    Z = csr_array(Z)[order]
    sizes = np.bincount(codes, minlength=design.blocks[0].n_levels)
    return GroupedRows(
        Z.data,
        Z.indices.astype(np.int64),
        Z.indptr.astype(np.int64),
        np.column_stack([Q, r])[order],
        np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64),
        np.bincount(codes, weights=design.residual.log_pivots(), minlength=len(sizes)),
    )

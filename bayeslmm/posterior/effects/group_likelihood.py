"""log p(y_j | y_-j, φ) of sets of rows, levels of a grouping factor or single rows, left out in turn."""

import numpy as np
from numpy.typing import NDArray

from bayeslmm.kernel.problem.relation import related_products
from bayeslmm.kernel.values.leave_out import GroupedRows, group_log_densities
from bayeslmm.posterior.fixed_effects import prior_of_delta
from bayeslmm.posterior.parameters import Index, Parameters, over_phi, relative_factors
from bayeslmm.spec.design import Design
from bayeslmm.spec.priors import Priors

type Array = NDArray[np.float64]
type Codes = NDArray[np.int64]

MOST_WORK = 1e10  # multiplications: some ten seconds


def affordable(design: Design, n_draws: int) -> bool:
    """Whether the densities of all draws are a matter of seconds."""
    if not (design.blocks and apart(design, design.blocks[0].codes)):
        return False
    return bool(n_draws * work(design, design.blocks[0].codes) < MOST_WORK and design.q < 1000)


def apart(design: Design, codes: Codes) -> bool:
    """Does every residual group lie within one set of rows?"""
    groups = design.residual.groups
    if groups is None:
        return True
    pairs = np.unique(np.column_stack([groups, codes]), axis=0)
    return len(pairs) == len(np.unique(groups))


def work(design: Design, codes: Codes) -> float:
    """Multiplications a draw."""
    sizes, q = np.bincount(codes).astype(float), float(max(design.q, 1))
    own = q**2 * max(len(design.blocks), 1) + design.n * q * (design.p + 2) + q * np.sum(sizes**2) / 2
    return float(own + np.sum(sizes**3) / 6)


def group_log_likelihood(
    design: Design, priors: Priors, parameters: Parameters, codes: Codes | None = None
) -> Array:
    """log p(y_j | y_-j, φ), (m, J): random effects integrated out, β too unless it is part of φ.

    Parameters
    ----------
    codes : (n,) the set of each row; None for the levels of the first grouping factor.
    """
    sets = design.blocks[0].codes if codes is None else codes

    def one(at: Design, own: Index) -> tuple[Array]:
        kernel, draws = at.kernel, parameters.take(own)
        given = draws.beta
        delta = np.zeros((len(draws), at.p)) if given is None else kernel.to_delta(given)
        prior = prior_of_delta(kernel, priors) if given is None else None
        lam, rows = relative_factors(at, draws), grouped_rows(at, sets)
        return (group_log_densities(lam, draws.sigma, delta, prior, rows, kernel.problem),)

    return over_phi(one, design, parameters.phi)[0]


def grouped_rows(design: Design, codes: Codes) -> GroupedRows:
    """The rows of a design by set; `codes` (n,) says which each belongs to."""
    from scipy.sparse import csr_array

    kernel = design.kernel
    order = np.argsort(codes, kind="stable")
    whiten = design.residual.whiten
    Q = np.linalg.solve(kernel.R_X.T, whiten(design.X).T).T
    r = whiten(design.y - design.offset) - Q @ kernel.gamma_ls
    Z = whiten(design.Z)
    if kernel.known:
        Z = csr_array(related_products(kernel.known, kernel.problem, Z.toarray().T).T)
    Z = csr_array(Z)[order]
    sizes = np.bincount(codes)
    return GroupedRows(
        Z.data,
        Z.indices.astype(np.int64),
        Z.indptr.astype(np.int64),
        np.column_stack([Q, r])[order],
        np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64),
        np.bincount(codes, weights=design.residual.log_pivots(), minlength=len(sizes)),
    )

"""Expected quadratic forms, and the mean squares they give.

Source: Searle, Casella & McCulloch (1992), chapters 3 and 4, appendix S.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from bayeslmm.textbook.inputs import Array, check_variance, numbers, square
from bayeslmm.textbook.one_way import OneWay


class ExpectedMeanSquares(NamedTuple):
    """Expectations of the mean squares between and within groups."""

    MSA: float
    MSE: float


def expected_quadratic_form(Q: ArrayLike, V: ArrayLike, mean: ArrayLike) -> float:
    """E(yᵀQy) = tr(QV) + μᵀQμ for y with mean μ and covariance V, normal or not.

    Examples
    --------
    >>> expected_quadratic_form(np.eye(2), 3 * np.eye(2), [1.0, 2.0])
    11.0
    """
    mu = numbers("mean", mean)
    form = square("Q", Q, len(mu))
    return float(np.sum(form * square("V", V, len(mu))) + mu @ form @ mu)


def expected_mean_squares(layout: OneWay, var_A: float, var_E: float) -> ExpectedMeanSquares:
    """E(MSA) = σ²_E + n₀σ²_A, E(MSE) = σ²_E.

    Examples
    --------
    >>> import bayeslmm as bl
    >>> dyes = bl.load_dataset("Dyestuff")
    >>> expected_mean_squares(bl.textbook.one_way(dyes["Yield"], dyes["Batch"]), 2.0, 3.0)
    ExpectedMeanSquares(MSA=13.0, MSE=3.0)
    """
    between, within = check_variance("var_A", var_A), check_variance("var_E", var_E)
    return ExpectedMeanSquares(within + layout.n0 * between, within)


def quadratic_forms(layout: OneWay) -> tuple[Array, Array]:
    """The symmetric, idempotent (N, N) matrices of SSA = yᵀ(P_Z − J/N)y and SSE = yᵀ(I − P_Z)y.

    Examples
    --------
    >>> import bayeslmm as bl
    >>> dyes = bl.load_dataset("Dyestuff")
    >>> layout = bl.textbook.one_way(dyes["Yield"], dyes["Batch"])
    >>> between, within = quadratic_forms(layout)
    >>> round(layout.y @ between @ layout.y, 4), round(float(np.trace(within)), 4)
    (np.float64(56357.5), 24.0)
    """
    Z = np.eye(layout.k)[layout.codes]
    within = (Z / layout.sizes) @ Z.T
    return within - 1 / layout.N, np.eye(layout.N) - within

"""The model y ~ N(Xβ, V) with V known: generalized least squares, the two likelihoods, and error contrasts.

Sources: Searle, Casella & McCulloch (1992), chapter 6; Patterson & Thompson (1971), Biometrika 58, 545-554;
Harville (1974), Biometrika 61, 383-385.
"""

from dataclasses import dataclass
from math import log, pi

import numpy as np
from numpy.typing import ArrayLike

from bayeslmm.errors import DataError, check_whole
from bayeslmm.textbook.identity import Identity, identity
from bayeslmm.textbook.inputs import Array, covariance, matrix, numbers


@dataclass(frozen=True, eq=False)
class LeastSquares:
    """Generalized least squares for a known V.

    Attributes
    ----------
    beta : (p,) (XᵀV⁻¹X)⁻¹XᵀV⁻¹y. vcov : (p, p) (XᵀV⁻¹X)⁻¹. rss : (y − Xβ̂)ᵀV⁻¹(y − Xβ̂).
    log_det_V, log_det_information : log|V| and log|XᵀV⁻¹X|.
    """

    beta: Array
    vcov: Array
    rss: float
    log_det_V: float
    log_det_information: float


def generalized_least_squares(y: ArrayLike, X: ArrayLike, V: ArrayLike) -> LeastSquares:
    """β̂ = (XᵀV⁻¹X)⁻¹XᵀV⁻¹y, and what the likelihoods are made of.

    Parameters
    ----------
    y : (n,). X : (n, p) of full rank. V : (n, n) covariance of y.

    Raises
    ------
    DataError
        For shapes that don't fit, a V that is no covariance, or an X of lower rank.

    Examples
    --------
    >>> generalized_least_squares([1.0, 3.0], [1.0, 1.0], np.diag([1.0, 3.0])).beta
    array([1.5])
    """
    return _least_squares(*_given(y, X, V))


def log_likelihood(y: ArrayLike, X: ArrayLike, V: ArrayLike, beta: ArrayLike | None = None) -> float:
    """ℓ = −½[n log 2π + log|V| + (y − Xβ)ᵀV⁻¹(y − Xβ)], at β̂ where no β is given.

    Examples
    --------
    >>> round(log_likelihood([0.0, 2.0], [1.0, 1.0], np.eye(2)), 4)
    -2.8379
    """
    response, columns, V = _given(y, X, V)
    found = _least_squares(response, columns, V)
    at = found.beta if beta is None else numbers("beta", beta, columns.shape[1])
    residual = response - columns @ at
    rss = residual @ np.linalg.solve(V, residual)
    return -0.5 * (len(response) * log(2 * pi) + found.log_det_V + float(rss))


def restricted_log_likelihood(y: ArrayLike, X: ArrayLike, V: ArrayLike) -> float:
    """ℓ_R = −½[(n − p) log 2π + log|V| + log|XᵀV⁻¹X| + (y − Xβ̂)ᵀV⁻¹(y − Xβ̂)], as programs report it.

    Examples
    --------
    >>> round(restricted_log_likelihood([0.0, 2.0], [1.0, 1.0], np.eye(2)), 4)
    -2.2655
    """
    found = generalized_least_squares(y, X, V)
    free = np.size(y) - len(found.beta)
    return -0.5 * (free * log(2 * pi) + found.log_det_V + found.log_det_information + found.rss)


def error_contrasts(X: ArrayLike) -> Array:
    """A, (n, n − p), with AᵀX = 0, AᵀA = I and AAᵀ = I − P_X: n − p orthonormal error contrasts Aᵀy.

    Examples
    --------
    >>> A = error_contrasts([1.0, 1.0, 1.0])
    >>> np.allclose(A @ A.T, np.eye(3) - 1 / 3)
    True
    """
    columns = matrix("X", X)
    left, *_ = np.linalg.svd(columns)
    return left[:, np.linalg.matrix_rank(columns) :]


def contrast_log_likelihood(y: ArrayLike, X: ArrayLike, V: ArrayLike) -> float:
    """The log-likelihood of the error contrasts: log density of Aᵀy ~ N(0, AᵀVA). It knows nothing of β.

    Examples
    --------
    >>> round(contrast_log_likelihood([0.0, 2.0], [1.0, 1.0], np.eye(2)), 4)
    -1.9189
    """
    response, columns, V = _given(y, X, V)
    A = error_contrasts(columns)
    z, covariance_of_z = A.T @ response, A.T @ V @ A
    log_det = np.linalg.slogdet(covariance_of_z)[1]
    return -0.5 * float(len(z) * log(2 * pi) + log_det + z @ np.linalg.solve(covariance_of_z, z))


def reml_is_of_contrasts(y: ArrayLike, X: ArrayLike, V: ArrayLike) -> Identity:
    """REML is the likelihood of error contrasts: ℓ_R + ½ log|XᵀX| against the density of Aᵀy.

    log|XᵀX| doesn't depend on V, so both have one maximum.

    Examples
    --------
    >>> reml_is_of_contrasts([0.0, 2.0, 5.0], [1.0, 1.0, 1.0], np.diag([1.0, 2.0, 4.0])).gap < 1e-12
    True
    """
    columns = matrix("X", X, np.size(y))
    left = restricted_log_likelihood(y, X, V) + 0.5 * np.linalg.slogdet(columns.T @ columns)[1]
    return identity("restricted likelihood = likelihood of Aᵀy", left, contrast_log_likelihood(y, X, V))


def ml_bias(n: int, p: int = 1) -> float:
    """E(σ̂²_ML)/σ² = (n − p)/n of independent observations: (n − 1)/n for one sample.

    Examples
    --------
    >>> ml_bias(10)
    0.9
    """
    check_whole("p", p, 0)
    check_whole("n", n, p + 1)
    return (n - p) / n


def ml_bias_is_a_trace(X: ArrayLike) -> Identity:
    """The ML bias shown: E yᵀ(I − P_X)y/n = σ² tr(I − P_X)/n against σ²(n − p)/n, σ = 1.

    Examples
    --------
    >>> ml_bias_is_a_trace(np.ones(8)).right
    array(0.875)
    """
    A = error_contrasts(X)
    n, free = A.shape
    return identity("tr(I − P_X)/n = (n − p)/n", np.trace(A @ A.T) / n, ml_bias(n, n - free))


def _given(y: ArrayLike, X: ArrayLike, V: ArrayLike) -> tuple[Array, Array, Array]:
    response = numbers("y", y)
    return response, matrix("X", X, len(response)), covariance("V", V, len(response))


def _least_squares(y: Array, X: Array, V: Array) -> LeastSquares:
    """By rows whitened with V's Cholesky factor."""
    root = np.linalg.cholesky(V)
    whitened = np.linalg.solve(root, np.column_stack([X, y]))
    basis, factor = np.linalg.qr(whitened[:, :-1])
    diagonal = np.abs(np.diag(factor))
    if np.any(diagonal <= 1e-10 * np.linalg.norm(whitened[:, :-1], axis=0)):
        raise DataError(
            f"X has {X.shape[1]} columns that depend on each other, so β has no one estimate; "
            "leave columns out, or ask for estimable combinations (bl.textbook.estimability)"
        )
    beta = np.linalg.solve(factor, basis.T @ whitened[:, -1])
    inverse = np.linalg.inv(factor)
    residual = whitened[:, -1] - whitened[:, :-1] @ beta
    log_dets = 2 * float(np.log(np.diag(root)).sum()), 2 * float(np.log(diagonal).sum())
    return LeastSquares(beta, inverse @ inverse.T, float(residual @ residual), *log_dets)

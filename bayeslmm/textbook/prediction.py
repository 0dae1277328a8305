"""Prediction of random variables: E(v | y), and the best linear unbiased predictor of cᵀβ + dᵀb.

Sources: Searle, Casella & McCulloch (1992), chapter 7; Harville (1976), Annals of Statistics 4, 384-395.
"""

import numpy as np
from numpy.typing import ArrayLike

from bayeslmm.errors import DataError
from bayeslmm.textbook.estimability import estimability
from bayeslmm.textbook.henderson import MixedModel
from bayeslmm.textbook.identity import Identity, identity
from bayeslmm.textbook.inputs import Array, covariance, matrix, numbers, square


def conditional_mean(y: ArrayLike, mean_y: ArrayLike, mean_v: ArrayLike, V: ArrayLike, C: ArrayLike) -> Array:
    """E(v | y) = μ_v + CV⁻¹(y − μ_y) of jointly normal v and y: the best predictor of v.

    Parameters
    ----------
    y, mean_y : (n,). mean_v : (m,). V : (n, n) Var(y). C : (m, n) Cov(v, y).

    Examples
    --------
    >>> conditional_mean([3.0], [1.0], [0.0], [[4.0]], [[2.0]])
    array([1.])
    """
    response, centre = numbers("y", y), numbers("mean_v", mean_v)
    n = len(response)
    between = matrix("C", C, len(centre))
    if between.shape[1] != n:
        raise DataError(f"C has shape {between.shape}; here it is ({len(centre)}, {n}), Cov(v, y)")
    return np.asarray(
        centre + between @ np.linalg.solve(covariance("V", V, n), response - numbers("mean_y", mean_y, n))
    )


def conditional_covariance(V_v: ArrayLike, V: ArrayLike, C: ArrayLike) -> Array:
    """Var(v | y) = Var(v) − CV⁻¹Cᵀ.

    Examples
    --------
    >>> conditional_covariance([[3.0]], [[4.0]], [[2.0]])
    array([[2.]])
    """
    between = matrix("C", C)
    spread = square("V_v", V_v, len(between))
    return np.asarray(spread - between @ np.linalg.solve(covariance("V", V, between.shape[1]), between.T))


def blup_weights(model: MixedModel, c: ArrayLike, d: ArrayLike) -> Array:
    """(n,) λ of the best linear unbiased predictor λᵀy of cᵀβ + dᵀb.

    λ = V⁻¹X(XᵀV⁻¹X)⁻(c − XᵀV⁻¹ZGd) + V⁻¹ZGd; X may have any rank.

    Raises
    ------
    DataError
        When cᵀβ isn't estimable.

    Examples
    --------
    >>> from bayeslmm.textbook import mixed_model
    >>> model = mixed_model([1.0, 3.0, 8.0], [1.0, 1.0, 1.0], [[1, 0], [1, 0], [0, 1]], np.eye(2), np.eye(3))
    >>> blup_weights(model, [1], [0, 1]).round(3)
    array([0.143, 0.143, 0.714])
    """
    fixed, random = _asked(model, c, d)
    if not estimability(fixed, model.X):
        raise DataError(f"c = {fixed.tolist()} isn't estimable: no combination of rows of X gives it")
    inverse = np.linalg.inv(model.V)
    toward = model.Z @ model.G @ random
    information = model.X.T @ inverse @ model.X
    lengths = np.sqrt(np.diag(information))
    solved = np.linalg.pinv(information / np.outer(lengths, lengths), rcond=1e-10, hermitian=True)
    step = solved @ ((fixed - model.X.T @ inverse @ toward) / lengths)
    return np.asarray(inverse @ (model.X @ (step / lengths) + toward))


def mean_squared_error(model: MixedModel, weights: ArrayLike, c: ArrayLike, d: ArrayLike) -> float:
    """E(λᵀy − cᵀβ − dᵀb)² = λᵀVλ − 2λᵀZGd + dᵀGd of a linear unbiased predictor.

    Raises
    ------
    DataError
        When λᵀX isn't cᵀ: a biased predictor's error depends on β.

    Examples
    --------
    >>> from bayeslmm.textbook import mixed_model
    >>> model = mixed_model([1.0, 3.0, 8.0], [1.0, 1.0, 1.0], [[1, 0], [1, 0], [0, 1]], np.eye(2), np.eye(3))
    >>> mean_squared_error(model, [0, 0, 1], [1], [0, 1])  # the group's one observation
    1.0
    """
    fixed, random = _asked(model, c, d)
    given = numbers("weights", weights, len(model.y))
    _check_unbiased(model, given, fixed)
    spread = model.Z @ model.G @ random
    return float(given @ model.V @ given - 2 * given @ spread + random @ model.G @ random)


def least_mean_squared_error(model: MixedModel, weights: ArrayLike, c: ArrayLike, d: ArrayLike) -> Identity:
    """No linear unbiased predictor is better than BLUP's λ: what λ + δ has more is δᵀVδ, never below 0.

    Left: the difference of mean squared errors; right: δᵀVδ.

    Examples
    --------
    >>> from bayeslmm.textbook import mixed_model
    >>> model = mixed_model([1.0, 3.0, 8.0], [1.0, 1.0, 1.0], [[1, 0], [1, 0], [0, 1]], np.eye(2), np.eye(3))
    >>> shown = least_mean_squared_error(model, [0, 0, 1], [1], [0, 1])  # the group's own mean
    >>> shown.gap < 1e-12, shown.left > 0
    (True, np.True_)
    """
    best = blup_weights(model, c, d)
    other = numbers("weights", weights, len(model.y))
    more = mean_squared_error(model, other, c, d) - mean_squared_error(model, best, c, d)
    return identity("excess mean squared error = δᵀVδ", more, (other - best) @ model.V @ (other - best))


def _asked(model: MixedModel, c: ArrayLike, d: ArrayLike) -> tuple[Array, Array]:
    return numbers("c", c, model.X.shape[1]), numbers("d", d, model.Z.shape[1])


def _check_unbiased(model: MixedModel, weights: Array, c: Array) -> None:
    lengths = np.linalg.norm(model.X, axis=0)
    if np.any(np.abs(weights @ model.X - c) > 1e-8 * (np.linalg.norm(weights) * lengths + np.abs(c))):
        raise DataError(
            f"these weights are biased: λᵀX is {(weights @ model.X).round(6).tolist()}, c is {c.tolist()}"
        )

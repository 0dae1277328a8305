"""Henderson's mixed-model equations, the joint density of y and b, and generalized least squares with BLUP.

y = Xβ + Zb + e, b ~ N(0, G), e ~ N(0, R), V = ZGZᵀ + R.

Sources: Henderson (1950), Annals of Mathematical Statistics 21, 309; Henderson, Kempthorne, Searle & von
Krosigk (1959), Biometrics 15, 192-218; Searle, Casella & McCulloch (1992), chapter 7.
"""

from dataclasses import dataclass
from math import log, pi

import numpy as np
from numpy.typing import ArrayLike

from bayeslmm.textbook.identity import Identity, identity
from bayeslmm.textbook.inputs import Array, covariance, matrix, numbers
from bayeslmm.textbook.linear import generalized_least_squares


@dataclass(frozen=True, eq=False)
class MixedModel:
    """A linear mixed model with known covariances.

    Attributes
    ----------
    y : (n,). X : (n, p). Z : (n, q). G : (q, q) covariance of b. R : (n, n) covariance of e.
    """

    y: Array
    X: Array
    Z: Array
    G: Array
    R: Array

    @property
    def V(self) -> Array:
        """(n, n) ZGZᵀ + R."""
        return np.asarray(self.Z @ self.G @ self.Z.T + self.R)


@dataclass(frozen=True, eq=False)
class Effects:
    """Estimates of β and predictions of b, with the covariance of (β̂ − β, b̂ − b).

    Attributes
    ----------
    beta : (p,). b : (q,). vcov : (p + q, p + q).
    """

    beta: Array
    b: Array
    vcov: Array


def mixed_model(y: ArrayLike, X: ArrayLike, Z: ArrayLike, G: ArrayLike, R: ArrayLike) -> MixedModel:
    """The record of a mixed model, its shapes and covariances checked.

    Raises
    ------
    DataError
        For shapes that don't fit, missing values, or a G or R that isn't positive definite.

    Examples
    --------
    >>> model = mixed_model([1.0, 3.0, 8.0], [1.0, 1.0, 1.0], [[1, 0], [1, 0], [0, 1]], np.eye(2), np.eye(3))
    >>> model.V
    array([[2., 1., 0.],
           [1., 2., 0.],
           [0., 0., 2.]])
    """
    response = numbers("y", y)
    n = len(response)
    columns, effects = matrix("X", X, n), matrix("Z", Z, n)
    return MixedModel(response, columns, effects, covariance("G", G, effects.shape[1]), covariance("R", R, n))


def mixed_model_equations(model: MixedModel) -> tuple[Array, Array]:
    """Henderson's equations: coefficients (p + q, p + q) and right side (p + q,).

    [XᵀR⁻¹X   XᵀR⁻¹Z      ] [β̂]   [XᵀR⁻¹y]
    [ZᵀR⁻¹X   ZᵀR⁻¹Z + G⁻¹] [b̂] = [ZᵀR⁻¹y]

    Examples
    --------
    >>> model = mixed_model([1.0, 3.0, 8.0], [1.0, 1.0, 1.0], [[1, 0], [1, 0], [0, 1]], np.eye(2), np.eye(3))
    >>> mixed_model_equations(model)[0]
    array([[3., 2., 1.],
           [2., 3., 0.],
           [1., 0., 2.]])
    """
    W, p = np.column_stack([model.X, model.Z]), model.X.shape[1]
    weighted = np.linalg.solve(model.R, W).T
    coefficients = weighted @ W
    coefficients[p:, p:] += np.linalg.inv(model.G)
    return coefficients, weighted @ model.y


def henderson(model: MixedModel) -> Effects:
    """The solution of the mixed-model equations; the inverse of their coefficients is its covariance.

    Examples
    --------
    >>> model = mixed_model([1.0, 3.0, 8.0], [1.0, 1.0, 1.0], [[1, 0], [1, 0], [0, 1]], np.eye(2), np.eye(3))
    >>> henderson(model).b.round(3)
    array([-1.714,  1.714])
    """
    coefficients, right = mixed_model_equations(model)
    inverse = np.linalg.inv(coefficients)
    solution, p = np.linalg.solve(coefficients, right), model.X.shape[1]
    return Effects(solution[:p], solution[p:], inverse)


def blup(model: MixedModel) -> tuple[Array, Array]:
    """β̂ by generalized least squares and b̂ = GZᵀV⁻¹(y − Xβ̂): no equations of Henderson's.

    Examples
    --------
    >>> model = mixed_model([1.0, 3.0, 8.0], [1.0, 1.0, 1.0], [[1, 0], [1, 0], [0, 1]], np.eye(2), np.eye(3))
    >>> blup(model)[1].round(3)
    array([-1.714,  1.714])
    """
    beta = generalized_least_squares(model.y, model.X, model.V).beta
    return beta, model.G @ model.Z.T @ np.linalg.solve(model.V, model.y - model.X @ beta)


def joint_log_density(model: MixedModel, beta: ArrayLike, b: ArrayLike) -> float:
    """The joint likelihood of (β, b), as Henderson's is called: log p(y | b)p(b) with both constants.

    Examples
    --------
    >>> model = mixed_model([1.0, 3.0, 8.0], [1.0, 1.0, 1.0], [[1, 0], [1, 0], [0, 1]], np.eye(2), np.eye(3))
    >>> beta, b = blup(model)
    >>> joint_log_density(model, beta, b) > joint_log_density(model, beta, 1.01 * b)
    True
    """
    fixed, random = _effects(model, beta, b)
    error = model.y - model.X @ fixed - model.Z @ random
    return _normal(error, model.R) + _normal(random, model.G)


def joint_score(model: MixedModel, beta: ArrayLike, b: ArrayLike) -> Array:
    """(p + q,) gradient of the joint log density: (XᵀR⁻¹e, ZᵀR⁻¹e − G⁻¹b), e = y − Xβ − Zb.

    Examples
    --------
    >>> model = mixed_model([1.0, 3.0, 8.0], [1.0, 1.0, 1.0], [[1, 0], [1, 0], [0, 1]], np.eye(2), np.eye(3))
    >>> joint_score(model, [4.0], [0.0, 0.0])
    array([ 0., -4.,  4.])
    """
    fixed, random = _effects(model, beta, b)
    error = np.linalg.solve(model.R, model.y - model.X @ fixed - model.Z @ random)
    return np.concatenate([model.X.T @ error, model.Z.T @ error - np.linalg.solve(model.G, random)])


def henderson_is_blup(model: MixedModel) -> Identity:
    """The equations' solution against generalized least squares and BLUP.

    Examples
    --------
    >>> model = mixed_model([1.0, 3.0, 8.0], [1.0, 1.0, 1.0], [[1, 0], [1, 0], [0, 1]], np.eye(2), np.eye(3))
    >>> henderson_is_blup(model).gap < 1e-12
    True
    """
    solution = henderson(model)
    return identity(
        "Henderson's (β̂, b̂) = GLS and BLUP",
        np.concatenate([solution.beta, solution.b]),
        np.concatenate(blup(model)),
    )


def blup_is_the_joint_mode(model: MixedModel) -> Identity:
    """The gradient of the joint log density at GLS and BLUP against 0; the density is concave.

    Examples
    --------
    >>> model = mixed_model([1.0, 3.0, 8.0], [1.0, 1.0, 1.0], [[1, 0], [1, 0], [0, 1]], np.eye(2), np.eye(3))
    >>> blup_is_the_joint_mode(model).gap < 1e-12
    True
    """
    score = joint_score(model, *blup(model))
    return identity("joint score at (β̂, b̂) = 0", score, np.zeros(len(score)))


def _effects(model: MixedModel, beta: ArrayLike, b: ArrayLike) -> tuple[Array, Array]:
    return numbers("beta", beta, model.X.shape[1]), numbers("b", b, model.Z.shape[1])


def _normal(values: Array, V: Array) -> float:
    log_det = np.linalg.slogdet(V)[1]
    return -0.5 * float(len(values) * log(2 * pi) + log_det + values @ np.linalg.solve(V, values))

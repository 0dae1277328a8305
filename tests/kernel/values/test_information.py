"""The average information beside its definition on dense matrices, and beside the Hessian it stands for."""

import numpy as np
import pytest

import bayeslmm as bl
from bayeslmm.kernel.values.information import average_information
from tests.kernel.problems import STRUCTURES, Problem, make


def directions(problem: Problem) -> np.ndarray:
    """One move for each element of the lower triangles of Λ, (n_theta, n_lam)."""
    kinds, start = [], 0
    for _, columns, _ in problem.blocks:
        k = columns.shape[1]
        kinds += [start + i * k + j for i in range(k) for j in range(i + 1)]
        start += k * k
    return np.eye(len(problem.lam))[kinds]


def dense(problem: Problem, moves: np.ndarray, reml: bool, sigma: float) -> np.ndarray:
    """The definition, n × n."""
    V_inverse, X, y = np.linalg.inv(problem.V0), problem.X, problem.y
    P = V_inverse - V_inverse @ X @ np.linalg.solve(X.T @ V_inverse @ X, X.T @ V_inverse)
    Pys = []
    for move in moves:
        changed = Problem(y, X, problem.blocks, problem.weights, move).Lambda
        half = problem.Z @ changed @ problem.Lambda.T @ problem.Z.T
        Pys.append((half + half.T) @ P @ y)
    columns = np.array(Pys).T
    products, q, r2 = columns.T @ P @ columns, columns.T @ P @ y, y @ P @ y
    m = len(y) - X.shape[1] * reml
    return products / sigma**2 if np.isfinite(sigma) else m / r2 * (products - np.outer(q, q) / r2)


@pytest.mark.parametrize("sigma", [np.nan, 1.7])
@pytest.mark.parametrize("reml", [True, False])
@pytest.mark.parametrize("structure", [name for name in STRUCTURES if name != "none"])
def test_definition(structure: str, reml: bool, sigma: float) -> None:
    problem = make(structure)
    moves = directions(problem)
    found = average_information(problem.kernel, problem.lam, moves, reml, sigma)
    expected = dense(problem, moves, reml, sigma)
    np.testing.assert_allclose(found, expected, rtol=1e-8, atol=1e-8 * np.abs(expected).max())


def test_without_fixed_effects() -> None:
    problem = make("nested", p=0)
    moves = directions(problem)
    expected = dense(problem, moves, True, np.nan)
    found = average_information(problem.kernel, problem.lam, moves, True)
    np.testing.assert_allclose(found, expected, rtol=1e-8, atol=1e-8 * np.abs(expected).max())


def test_no_inverse() -> None:
    problem = make("slopes", scale=0.0)
    assert average_information(problem.kernel, problem.lam, directions(problem), True) is None


def test_beside_the_hessian() -> None:
    """At the optimum, observed, expected and average information are of one size."""
    data = bl.load_dataset("Penicillin")
    fit = bl.LinearMixedModel("diameter ~ 1 + (1 | plate) + (1 | sample)", data).fit()
    covariance = fit.design.covariance
    model = average_information(
        fit.design.kernel, fit.lam, covariance.jacobian(fit.theta_values), fit.reml, np.nan
    )
    assert model is not None
    ratios = np.linalg.eigvals(np.linalg.solve(fit.objective.hessian(fit.theta_values), model))
    assert ratios.min() > 0.5 and ratios.max() < 2

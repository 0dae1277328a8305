"""Log densities and the profiled criterion against the dense V; their gradients against differences."""

from collections.abc import Callable

import numpy as np
import pytest
from numpy.testing import assert_allclose

from bayeslmm.kernel.values.density import integrated, integrated_values, marginal, marginal_values
from bayeslmm.kernel.values.fixed_effects import PriorOfDelta
from tests.kernel.problems import STRUCTURES, Problem, crossed_problem, make

CASES = [(name, p) for name in STRUCTURES for p in (0, 1, 3)]
SIGMA = 1.3


def differences(f: Callable[[np.ndarray], float], x: np.ndarray, step: float = 1e-5) -> np.ndarray:
    """Central differences of a scalar function."""
    return np.array([(f(x + e) - f(x - e)) / (2 * step) for e in step * np.eye(len(x))]).reshape(len(x))


def dense_marginal(problem: Problem, beta: np.ndarray, sigma: float) -> float:
    V = sigma**2 * problem.V0
    residual = problem.y - problem.X @ beta
    logdet = np.linalg.slogdet(2 * np.pi * V)[1]
    return -0.5 * (logdet + residual @ np.linalg.solve(V, residual))


def dense_integrated(problem: Problem, precision: np.ndarray, shift: np.ndarray, sigma: float) -> float:
    """The Gaussian integral over beta of the dense marginal times exp(-b'Pb/2 + s'b)."""
    V = sigma**2 * problem.V0
    K = precision + problem.X.T @ np.linalg.solve(V, problem.X)
    c = shift + problem.X.T @ np.linalg.solve(V, problem.y)
    at_zero = dense_marginal(problem, np.zeros(problem.X.shape[1]), sigma)
    return at_zero + 0.5 * c @ np.linalg.solve(K, c) - 0.5 * np.linalg.slogdet(K / (2 * np.pi))[1]


def dense_criterion(problem: Problem, reml: bool) -> float:
    X, y, V0 = problem.X, problem.y, problem.V0
    information = X.T @ np.linalg.solve(V0, X)
    beta = np.linalg.solve(information, X.T @ np.linalg.solve(V0, y))
    r2 = (y - X @ beta) @ np.linalg.solve(V0, y - X @ beta)
    m = len(y) - X.shape[1] * reml
    extra = np.linalg.slogdet(information)[1] if reml else 0.0
    return np.linalg.slogdet(V0)[1] + extra + m * (1 + np.log(2 * np.pi * r2 / m))


@pytest.mark.parametrize(("structure", "p"), CASES)
def test_marginal(structure: str, p: int) -> None:
    problem = make(structure, p)
    kernel, beta = problem.kernel, np.random.default_rng(3).normal(size=p)
    value, dlam, dsigma, dbeta = marginal(problem.lam, SIGMA, beta, kernel.problem)
    assert_allclose(value, dense_marginal(problem, beta, SIGMA), rtol=1e-12)

    def f(lam: np.ndarray) -> float:
        return marginal(lam, SIGMA, beta, kernel.problem)[0]

    def g(s: np.ndarray) -> float:
        return marginal(problem.lam, s[0], beta, kernel.problem)[0]

    def h(b: np.ndarray) -> float:
        return marginal(problem.lam, SIGMA, b, kernel.problem)[0]

    assert_allclose(dlam, differences(f, problem.lam), rtol=1e-6, atol=1e-6)
    assert_allclose(dsigma, differences(g, np.array([SIGMA]))[0], rtol=1e-7, atol=1e-6)
    assert_allclose(dbeta, differences(h, beta), rtol=1e-7, atol=1e-6)


@pytest.mark.parametrize("flat", ["all", "half", "none"])
@pytest.mark.parametrize(("structure", "p"), CASES)
def test_integrated(structure: str, p: int, flat: str) -> None:
    problem = make(structure, p)
    kernel, rng = problem.kernel, np.random.default_rng(4)
    root = rng.normal(size=(p, p))
    known = {"all": 0, "half": p // 2, "none": p}[flat]
    root[known:] = 0.0
    precision, shift = root.T @ root, root.T @ rng.normal(size=p)
    prior = PriorOfDelta.of_beta(kernel, precision, shift)
    held = (prior.precision, prior.shift, kernel.problem)
    value, dlam, dsigma = integrated(problem.lam, SIGMA, *held)
    expected = dense_integrated(problem, precision, shift, SIGMA)
    assert_allclose(value + prior.log_constant, expected, rtol=1e-11)

    def f(lam: np.ndarray) -> float:
        return integrated(lam, SIGMA, *held)[0]

    def g(s: np.ndarray) -> float:
        return integrated(problem.lam, s[0], *held)[0]

    assert_allclose(dlam, differences(f, problem.lam), rtol=1e-6, atol=1e-6)
    assert_allclose(dsigma, differences(g, np.array([SIGMA]))[0], rtol=1e-7, atol=1e-6)


@pytest.mark.parametrize("reml", [True, False])
@pytest.mark.parametrize(("structure", "p"), CASES)
def test_criterion(structure: str, p: int, reml: bool) -> None:
    problem = make(structure, p)
    kernel = problem.kernel
    value, gradient = kernel.criterion(problem.lam, reml)
    assert_allclose(value, dense_criterion(problem, reml), rtol=1e-12)

    def f(lam: np.ndarray) -> float:
        return kernel.criterion(lam, reml)[0]

    assert_allclose(gradient, differences(f, problem.lam), rtol=1e-6, atol=1e-6)


def test_known_sigma_is_the_density_maximized_over_beta() -> None:
    problem = make("crossed", 2)
    kernel = problem.kernel
    value, gradient = kernel.criterion(problem.lam, reml=False, sigma=SIGMA)
    A = kernel.moments(problem.lam).A
    beta = kernel.to_beta(np.linalg.solve(A[:-1, :-1], A[:-1, -1]))
    assert_allclose(value, -2 * dense_marginal(problem, beta, SIGMA), rtol=1e-12)

    def f(lam: np.ndarray) -> float:
        return kernel.criterion(lam, reml=False, sigma=SIGMA)[0]

    assert_allclose(gradient, differences(f, problem.lam), rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("structure", ["slopes", "crossed", "nested"])
def test_the_gradient_vanishes_at_zero_and_is_finite(structure: str) -> None:
    problem = make(structure, scale=0.0)
    value, gradient = problem.kernel.criterion(problem.lam, reml=True)
    assert_allclose(value, dense_criterion(problem, True), rtol=1e-12)
    assert_allclose(gradient, 0.0, atol=1e-12)


@pytest.mark.parametrize("sigma", [0.0, -1.0, np.nan])
def test_an_impossible_sigma_has_density_zero(sigma: float) -> None:
    problem = make("one")
    kernel = problem.kernel
    none = np.zeros((2, 2))
    assert marginal(problem.lam, sigma, np.zeros(2), kernel.problem)[0] == -np.inf
    assert integrated(problem.lam, sigma, none, np.zeros(2), kernel.problem)[0] == -np.inf


def test_large_tails_have_the_density_of_the_dense_covariance() -> None:
    problem = crossed_problem()
    kernel, flat, beta = problem.kernel, (np.zeros((2, 2)), np.zeros(2)), np.array([4.0, 0.3])
    assert kernel.large_tail
    value, dlam, dsigma = integrated(problem.lam, SIGMA, *flat, kernel.problem)
    assert_allclose(value, dense_integrated(problem, *flat, SIGMA), rtol=1e-11)

    def f(lam: np.ndarray) -> float:
        return integrated(lam, SIGMA, *flat, kernel.problem)[0]

    def g(s: np.ndarray) -> float:
        return integrated(problem.lam, s[0], *flat, kernel.problem)[0]

    assert_allclose(dlam, differences(f, problem.lam), rtol=1e-6, atol=1e-6)
    assert_allclose(dsigma, differences(g, np.array([SIGMA]))[0], rtol=1e-7, atol=1e-6)
    value = marginal(problem.lam, SIGMA, beta, kernel.problem)[0]
    assert_allclose(value, dense_marginal(problem, beta, SIGMA), rtol=1e-12)


@pytest.mark.parametrize("structure", STRUCTURES)
def test_values_are_those_of_the_densities(structure: str) -> None:
    problem = make(structure)
    kernel, flat = problem.kernel, (np.zeros((2, 2)), np.zeros(2))
    beta = np.array([4.0, 0.3])
    lam, sigma = np.stack([problem.lam, 0.5 * problem.lam]), np.array([[SIGMA, 1.0, 0.3], [2.0, SIGMA, 0.0]])
    expected = [[integrated(lam[i], s, *flat, kernel.problem)[0] for s in sigma[i]] for i in range(2)]
    assert_allclose(integrated_values(lam, sigma, *flat, kernel.problem), expected, rtol=1e-14)
    expected = [[marginal(lam[i], s, beta, kernel.problem)[0] for s in sigma[i]] for i in range(2)]
    assert_allclose(marginal_values(lam, sigma, np.stack([beta, beta]), kernel.problem), expected, rtol=1e-14)


def test_a_large_tail_at_an_impossible_sigma_has_density_zero() -> None:
    problem = crossed_problem()
    flat = np.zeros((2, 2)), np.zeros(2)
    value, dlam, _ = integrated(problem.lam, np.nan, *flat, problem.kernel.problem)
    assert value == -np.inf
    assert not np.any(dlam)

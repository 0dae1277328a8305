"""Known covariance between levels: the kernel against the dense V."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.linalg import block_diag

from bayeslmm.kernel.kernel import Kernel
from bayeslmm.kernel.problem.sufficient import ResponseLaw
from tests.kernel.problems import STRUCTURES, Problem, build, make

WITH_BLOCKS = [name for name in STRUCTURES if name != "none"]


def lower(J: int, seed: int) -> np.ndarray:
    A = np.random.default_rng(seed).normal(size=(J, J + 2))
    return np.linalg.cholesky(A @ A.T / J + 0.2 * np.eye(J))


def known_factors(problem: Problem) -> tuple[np.ndarray | None, ...]:
    """One for the first block and every second one after it."""
    return tuple(
        lower(n_levels, number) if number % 2 == 0 else None
        for number, (_, _, n_levels) in enumerate(problem.blocks)
    )


def root(problem: Problem, known: tuple[np.ndarray | None, ...]) -> np.ndarray:
    """blockdiag(L ⊗ Λ)."""
    parts, start = [], 0
    for (_, columns, n_levels), L in zip(problem.blocks, known, strict=True):
        k = columns.shape[1]
        factor = problem.lam[start : start + k * k].reshape(k, k)
        parts.append(np.kron(np.eye(n_levels) if L is None else L, factor))
        start += k * k
    return block_diag(*parts)


@pytest.fixture(params=WITH_BLOCKS)
def case(request: pytest.FixtureRequest) -> tuple[Problem, Kernel, np.ndarray]:
    problem = make(request.param)
    known = known_factors(problem)
    kernel = build(problem.y, problem.X, problem.blocks, problem.weights, known)
    return problem, kernel, root(problem, known)


def test_moments(case: tuple[Problem, Kernel, np.ndarray]) -> None:
    problem, kernel, half = case
    V0 = problem.Z @ half @ (problem.Z @ half).T + np.diag(1 / problem.weights)
    moments = kernel.moments(problem.lam)
    assert_allclose(moments.logdet, np.linalg.slogdet(V0)[1], rtol=1e-11)
    Q = problem.X @ np.linalg.inv(kernel.R_X)
    r = problem.y - problem.X @ kernel.to_beta(np.zeros(kernel.p))
    columns = np.column_stack([Q, r])
    assert_allclose(moments.A, columns.T @ np.linalg.solve(V0, columns), rtol=1e-9, atol=1e-9)


def test_gradient(case: tuple[Problem, Kernel, np.ndarray]) -> None:
    problem, kernel, _ = case
    _, gradient = kernel.criterion(problem.lam, True)
    steps = 1e-6 * np.eye(kernel.n_lam)
    numeric = [
        (kernel.criterion(problem.lam + s, True)[0] - kernel.criterion(problem.lam - s, True)[0]) / 2e-6
        for s in steps
    ]
    assert_allclose(gradient, numeric, rtol=1e-5, atol=1e-5)


def test_effects(case: tuple[Problem, Kernel, np.ndarray]) -> None:
    problem, kernel, half = case
    Z, R_inverse = problem.Z, np.diag(problem.weights)
    G = half @ half.T
    V0 = Z @ G @ Z.T + np.diag(1 / problem.weights)
    conditional, delta = kernel.conditional(problem.lam), np.full(kernel.p, 0.3)
    rest = problem.y - problem.X @ kernel.to_beta(delta)
    assert_allclose(conditional.solution(delta), G @ Z.T @ np.linalg.solve(V0, rest), atol=1e-9)
    M = half.T @ Z.T @ R_inverse @ Z @ half + np.eye(kernel.q)
    variance = half @ np.linalg.solve(M, half.T)
    drawn = conditional.draw(np.eye(kernel.q))
    assert_allclose(drawn @ drawn.T, variance, atol=1e-10)
    first = 0
    for found, (_, columns, n_levels) in zip(conditional.covariance_blocks(), problem.blocks, strict=True):
        k = columns.shape[1]
        own = variance[first : first + n_levels * k, first : first + n_levels * k].reshape(
            n_levels, k, n_levels, k
        )
        assert_allclose(found, np.einsum("jajb->jab", own), atol=1e-10)
        first += n_levels * k


def test_law_of_the_statistics(case: tuple[Problem, Kernel, np.ndarray]) -> None:
    """What a response's effects bring to its statistics is what its rows bring."""
    problem, kernel, _ = case
    law = ResponseLaw.of(kernel.problem, kernel.known)
    b = np.random.default_rng(1).normal(size=kernel.q)
    root_weights = np.sqrt(problem.weights)
    Q = (problem.X @ np.linalg.inv(kernel.R_X)) * root_weights[:, None]
    rows = (problem.Z @ b) * root_weights
    assert_allclose(law.cross @ b, Q.T @ rows, atol=1e-9)
    rest = rows - Q @ (Q.T @ rows)
    assert_allclose(np.sum((law.to_c @ b) ** 2), rest @ rest, rtol=1e-9)


def test_the_identity_changes_nothing() -> None:
    problem = make("crossed")
    known = tuple(np.eye(n_levels) for _, _, n_levels in problem.blocks)
    plain = problem.kernel.conditional(problem.lam)
    held = build(problem.y, problem.X, problem.blocks, problem.weights, known).conditional(problem.lam)
    assert_allclose(held.logdet, plain.logdet, rtol=1e-12)
    assert_allclose(held.b_r, plain.b_r, atol=1e-11)
    for a, b in zip(held.covariance_blocks(), plain.covariance_blocks(), strict=True):
        assert_allclose(a, b, atol=1e-12)

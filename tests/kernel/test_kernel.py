"""The kernel against the dense V, for every block structure."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from bayeslmm.kernel.problem import layout as at
from tests.kernel.problems import STRUCTURES, Problem, make

CASES = [(name, p) for name in STRUCTURES for p in (0, 1, 3)]


def dense_moments(problem: Problem) -> tuple[float, np.ndarray]:
    """log|V0| and [X y]' V0^-1 [X y]."""
    right = np.column_stack([problem.X, problem.y])
    return np.linalg.slogdet(problem.V0)[1], right.T @ np.linalg.solve(problem.V0, right)


@pytest.mark.parametrize("scale", [0.0, 1e-6, 1.0, 30.0])
@pytest.mark.parametrize(("structure", "p"), CASES)
def test_moments_are_those_of_the_dense_covariance(structure: str, p: int, scale: float) -> None:
    problem = make(structure, p, scale=scale)
    kernel = problem.kernel
    moments = kernel.moments(problem.lam)
    logdet, dense = dense_moments(problem)
    # [X y] = [Q r] [[R_X, gamma], [0, 1]] / sqrt(w)
    back = np.block([[kernel.R_X, kernel.gamma_ls[:, None]], [np.zeros((1, p)), np.ones((1, 1))]])
    assert_allclose(moments.logdet, logdet, rtol=1e-12, atol=1e-10)
    assert_allclose(back.T @ moments.A @ back, dense, rtol=1e-9, atol=1e-9 * np.abs(dense).max())


@pytest.mark.parametrize(("structure", "p"), CASES)
def test_conditional_effects_are_those_of_the_dense_covariance(structure: str, p: int) -> None:
    problem = make(structure, p, seed=1)
    beta = np.random.default_rng(2).normal(size=p)
    conditional = problem.kernel.conditional(problem.lam)
    T = problem.Lambda @ problem.Lambda.T
    gain = T @ problem.Z.T @ np.linalg.inv(problem.V0)
    covariance = T - gain @ problem.Z @ T
    b = conditional.solution(problem.kernel.to_delta(beta))
    assert_allclose(b, gain @ (problem.y - problem.X @ beta), rtol=1e-9, atol=1e-10)
    draws = conditional.draw(np.eye(problem.kernel.q))
    assert_allclose(draws @ draws.T, covariance, atol=1e-11)
    start = 0
    for blocks in conditional.covariance_blocks():
        for block in blocks:
            stop = start + len(block)
            assert_allclose(block, covariance[start:stop, start:stop], atol=1e-11)
            start = stop
    assert start == problem.kernel.q


def test_nested_blocks_stay_out_of_the_tail() -> None:
    header = make("nested").kernel.problem.ints
    assert header[at.Q_TAIL] == 0
    assert header[at.Q_LEAD] == 15 * 2 + 5 + 3


def test_crossed_blocks_leave_the_smaller_one_to_the_tail() -> None:
    header = make("crossed").kernel.problem.ints
    assert (header[at.Q_LEAD], header[at.Q_TAIL]) == (30, 6)


@pytest.mark.parametrize("shift", [1e6, 1e12])
def test_a_shifted_response_keeps_its_digits(shift: float) -> None:
    problem = make("slopes", 1)
    y = np.round(problem.y, 3)
    plain = Problem(y, problem.X, problem.blocks, problem.weights, problem.lam)
    shifted = Problem(y + shift, problem.X, problem.blocks, problem.weights, problem.lam)
    exact = Problem((y + shift) - shift, problem.X, problem.blocks, problem.weights, problem.lam)
    assert_allclose(shifted.kernel.moments(plain.lam).A, exact.kernel.moments(plain.lam).A, rtol=1e-9)


def test_an_impossible_factor_is_refused_and_not_raised() -> None:
    problem = make("crossed")
    value, gradient = problem.kernel.criterion(np.full_like(problem.lam, np.nan), reml=True)
    assert value == np.inf
    assert not gradient.any()


def test_scaling_a_left_hand_column_is_undone_by_its_factor() -> None:
    problem = make("slopes")
    codes, columns, n_levels = problem.blocks[0]
    unit = np.array([1.0, 1e6, 1e-5])
    scaled = Problem(problem.y, problem.X, [(codes, columns * unit, n_levels)], problem.weights, problem.lam)
    lam = (problem.lam.reshape(3, 3) / unit[:, None]).ravel()
    assert_allclose(scaled.kernel.moments(lam).A, problem.kernel.moments(problem.lam).A, rtol=1e-10)

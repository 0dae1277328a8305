"""A problem packed from chunks is the one packed from rows."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from numpy.typing import NDArray

from bayeslmm.kernel.kernel import Kernel
from bayeslmm.kernel.problem.blocks import BlockSize
from bayeslmm.kernel.problem.streaming import Basis, Chunk, finish, geometry, plan_of, sums
from tests.kernel.problems import STRUCTURES, Problem, make, whitening

type Array = NDArray[np.float64]

CASES = [(name, p) for name in STRUCTURES for p in (0, 1, 3)]


def pieces(problem: Problem, size: int) -> list[Chunk]:
    cuts = [slice(first, first + size) for first in range(0, len(problem.y), size)]
    return [
        Chunk(
            problem.y[cut],
            problem.X[cut],
            tuple(codes[cut] for codes, _, _ in problem.blocks),
            tuple(columns[cut] for _, columns, _ in problem.blocks),
            whitening(problem.weights[cut]),
            -float(np.sum(np.log(problem.weights[cut]))),
        )
        for cut in cuts
    ]


def streamed(problem: Problem, size: int = 7, sample: int = 20) -> tuple[Kernel, Array]:
    """The kernel of the problem in chunks, and the geometry of X."""
    shapes = [BlockSize(n_levels, columns.shape[1]) for _, columns, n_levels in problem.blocks]
    codes = [block[0] for block in problem.blocks]
    pairs = {
        (a, b): np.unique(np.stack([codes[a], codes[b]], axis=1), axis=0)
        for a in range(len(codes))
        for b in range(a + 1, len(codes))
    }
    p = problem.X.shape[1]
    first = pieces(problem, sample)[0]
    basis = Basis.of(first.y, first.X, np.arange(p), first.columns, first.whiten)
    plan = plan_of(shapes, pairs, p)
    total, *others = [sums(plan, basis, rows) for rows in pieces(problem, size)]
    for other in others:
        total = total + other
    R = geometry(basis, total)
    return Kernel(finish(plan, basis, total)), R


def best_beta(kernel: Kernel, lam: Array) -> Array:
    A, p = kernel.moments(lam).A, kernel.p
    return kernel.to_beta(np.linalg.solve(A[:p, :p], A[:p, p]))


@pytest.mark.parametrize(("structure", "p"), CASES)
def test_criterion_gradient_and_beta_are_those_of_rows_in_memory(structure: str, p: int) -> None:
    problem = make(structure, p)
    kernel, R = streamed(problem)
    for reml in (True, False):
        value, gradient = kernel.criterion(problem.lam, reml)
        there, slope = problem.kernel.criterion(problem.lam, reml)
        assert_allclose(value, there, rtol=1e-13)
        assert_allclose(gradient, slope, rtol=1e-10, atol=1e-11)
    assert_allclose(best_beta(kernel, problem.lam), best_beta(problem.kernel, problem.lam), rtol=1e-12)
    assert_allclose(R.T @ R, (problem.X.T * problem.weights) @ problem.X, rtol=1e-12, atol=1e-11)


@pytest.mark.parametrize("structure", ["nested and crossed", "large tail"])
def test_conditional_effects_are_the_same(structure: str) -> None:
    problem = make(structure, 2)
    kernel, _ = streamed(problem)
    here, there = kernel.conditional(problem.lam), problem.kernel.conditional(problem.lam)
    delta = kernel.to_delta(np.array([5.0, 0.1]))
    other = problem.kernel.to_delta(np.array([5.0, 0.1]))
    assert_allclose(here.solution(delta), there.solution(other), rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("shift", [1e6, 1e10])
def test_a_shifted_response_keeps_its_digits(shift: float) -> None:
    problem = make("slopes", 2)
    y = np.round(problem.y, 3)
    moved = Problem(y + shift, problem.X, problem.blocks, problem.weights, problem.lam)
    exact = Problem((y + shift) - shift, problem.X, problem.blocks, problem.weights, problem.lam)
    value = streamed(moved)[0].criterion(problem.lam, True)[0]
    assert_allclose(value, exact.kernel.criterion(problem.lam, True)[0], rtol=1e-12)


def test_ill_conditioned_columns_lose_no_more_than_in_memory() -> None:
    problem = make("crossed", 1)
    x = np.linspace(1000, 1001, len(problem.y))
    X = np.column_stack([np.ones_like(x), x, x**2])  # condition number about 1e12
    hard = Problem(problem.y, X, problem.blocks, problem.weights, problem.lam)
    here = streamed(hard, sample=90)[0].moments(problem.lam)
    there = hard.kernel.moments(problem.lam)
    fixed = [np.linalg.slogdet(each.A[:3, :3])[1] for each in (here, there)]
    assert_allclose(fixed[0], fixed[1], atol=1e-3)
    assert_allclose(here.logdet, there.logdet, rtol=1e-13)


def test_a_poor_sample_costs_no_digits() -> None:
    """Two rows that say little of the others: the coordinates are bad, the numbers stay."""
    problem = make("nested", 2)
    kernel, _ = streamed(problem, sample=3)
    assert_allclose(
        kernel.criterion(problem.lam, True)[0],
        problem.kernel.criterion(problem.lam, True)[0],
        rtol=1e-12,
    )

"""Condensed problems against the ordinary ones and the dense V."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from bayeslmm.kernel.factor.blocked import factor
from bayeslmm.kernel.kernel import Kernel
from bayeslmm.kernel.problem import layout as at
from bayeslmm.kernel.problem.condensed import Condensed
from bayeslmm.kernel.problem.sufficient import read_response, write_response
from bayeslmm.kernel.values.criterion import criterion
from tests.kernel.problems import Problem, build
from tests.kernel.test_kernel import dense_moments

# formula-like descriptions: sizes of the levels; (k of each block); columns of X
SIZES = {
    "balanced": [4] * 12,
    "partly balanced": [3, 3, 3, 4, 4, 4, 4, 4, 5, 4, 3, 3],
    "one of each": [1, 2, 3, 4, 5, 6, 7, 8],
}


def leaves(
    sizes: list[int], k: int, p: int, *, between: bool = False, parents: int = 0, crossed: bool = False
) -> Problem:
    """Levels whose rows are the first of a common list, so that sizes decide which of them are equal.

    `between`: the last column of X varies between levels only. `parents`: they are nested in that many.
    `crossed`: row i of each level is also in level i of another factor. Weights are those of the list.
    """
    rng = np.random.default_rng(len(sizes) * 100 + k * 10 + p)
    place = np.concatenate([np.arange(size) for size in sizes])
    codes = np.repeat(np.arange(len(sizes)), sizes)
    listed = np.column_stack([np.ones(max(sizes)), rng.normal(size=(max(sizes), 3))])
    columns, X = listed[place], listed[place, :p].copy()
    if between:
        X[:, -1] = rng.normal(size=len(sizes))[codes]
    blocks = [(codes, columns[:, :k], len(sizes))]
    if parents:
        blocks.append((codes % parents, columns[:, :2], parents))
    if crossed:
        blocks.append((place, columns[:, :1], max(sizes)))
    lam = [np.tril(rng.normal(size=(b[1].shape[1],) * 2)).ravel() for b in blocks]
    y = 5 + 3 * rng.normal(size=len(codes))
    return Problem(y, X, blocks, rng.uniform(0.5, 2.0, max(sizes))[place], np.concatenate(lam))


CASES = {
    **{
        f"{name}, k={k}, p={p}": leaves(sizes, k, p)
        for name, sizes in SIZES.items()
        for k in (1, 2, 3)
        for p in (0, 1, 3)
    },
    "between": leaves([4] * 12, 2, 3, between=True),
    "nested": leaves([4] * 12, 1, 2, parents=3),
    "nested, slopes": leaves([3, 4] * 9, 2, 2, parents=2),
    "crossed": leaves([4] * 12, 2, 2, crossed=True),
    "partly crossed": leaves([3, 3, 3, 4, 4, 4, 4, 4], 1, 1, crossed=True),
    "nested and crossed": leaves([4] * 12, 1, 3, parents=3, crossed=True, between=True),
    "fewer than coefs": leaves([4, 4, 5, 5], 3, 1),
}


def n_nodes(problem: Condensed | Kernel) -> int:
    return int(problem.problem.ints[at.N_NODES])


@pytest.mark.parametrize("scale", [0.0, 1e-6, 1.0, 30.0])
@pytest.mark.parametrize("name", CASES)
def test_moments_are_those_of_the_dense_covariance(name: str, scale: float) -> None:
    case = CASES[name]
    problem = Problem(case.y, case.X, case.blocks, case.weights, scale * case.lam)
    kernel, p = problem.kernel, problem.X.shape[1]
    logdet, A, _, _ = factor(problem.lam, kernel.condensed.problem)
    expected, dense = dense_moments(problem)
    back = np.block([[kernel.R_X, kernel.gamma_ls[:, None]], [np.zeros((1, p)), np.ones((1, 1))]])
    assert_allclose(logdet, expected, rtol=1e-12, atol=1e-10)
    assert_allclose(back.T @ A @ back, dense, rtol=1e-9, atol=1e-9 * np.abs(dense).max())


@pytest.mark.parametrize("reml", [True, False])
@pytest.mark.parametrize("name", CASES)
def test_criterion_and_gradient_are_those_of_all_levels(name: str, reml: bool) -> None:
    problem = CASES[name]
    kernel = problem.kernel
    value, gradient = criterion(problem.lam, kernel.condensed.problem, reml, np.nan)
    expected, slope = kernel.criterion(problem.lam, reml)
    assert_allclose(value, expected, rtol=1e-13)
    assert_allclose(gradient, slope, rtol=1e-9, atol=1e-11 * np.abs(slope).max())


@pytest.mark.parametrize("name", CASES)
def test_other_responses_are_carried_over(name: str) -> None:
    problem = CASES[name]
    kernel, condensed = problem.kernel, problem.kernel.condensed
    rng = np.random.default_rng(3)
    others = rng.normal(size=(3, len(problem.y)))
    others[1, problem.blocks[0][0] < 7] = 0.0
    others[2] = 0.0
    kernels = [build(y, problem.X, problem.blocks, problem.weights) for y in others]
    read = [read_response(each.problem) for each in kernels]
    carried = condensed.products(np.array([zr for zr, _, _ in read]))
    for each, zr, (_, gamma, rr) in zip(kernels, carried, read, strict=True):
        other = condensed.problem._replace(floats=condensed.problem.floats.copy())
        write_response(other, zr, gamma, rr)
        logdet, A, _, _ = factor(problem.lam, other)
        expected = kernel.moments(problem.lam).logdet, each.moments(problem.lam).A
        assert_allclose(logdet, expected[0], rtol=1e-13)
        assert_allclose(A, expected[1], rtol=1e-10, atol=1e-13 * max(rr, 1.0))


@pytest.mark.parametrize(
    ("name", "nodes"),
    [
        ("balanced, k=1, p=1", 2),  # between and within
        ("balanced, k=2, p=3", 3),
        ("balanced, k=3, p=0", 3),  # all within
        ("partly balanced, k=1, p=1", 2 + 2 + 1),  # five of one size, six of another
        ("one of each, k=2, p=1", 8),
        ("between", 2 + 2),  # the mean and the covariate
        ("nested", 3 + 1 + 3),  # one in each parent, one within; the parents
        ("crossed", 3),
        ("fewer than coefs", 4),
    ],
)
def test_how_far_a_problem_is_condensed(name: str, nodes: int) -> None:
    assert n_nodes(CASES[name].kernel.condensed) == nodes


def test_a_problem_without_equal_levels_stays_what_it_is() -> None:
    kernel = CASES["one of each, k=2, p=1"].kernel
    assert kernel.condensed.problem is kernel.problem
    zr = np.ones((2, kernel.q))
    assert_array_equal(kernel.condensed.products(zr), zr)


def test_a_level_that_differs_in_one_row_stays_apart() -> None:
    problem = leaves([4] * 12, 2, 2)
    problem.blocks[0][1][0, 1] += 1e-6
    assert n_nodes(problem.kernel.condensed) == 4
    expected = problem.kernel.criterion(problem.lam, reml=True)
    condensed = problem.kernel.condensed
    value, gradient = criterion(problem.lam, condensed.problem, True, np.nan)
    assert_allclose(value, expected[0], rtol=1e-13)
    assert_allclose(gradient, expected[1], rtol=1e-9)


def test_levels_with_a_known_covariance_are_not_rotated() -> None:
    problem = CASES["balanced, k=1, p=1"]
    root = np.linalg.cholesky(np.eye(12) + 0.5)
    kernel = build(problem.y, problem.X, problem.blocks, problem.weights, (root,))
    assert kernel.condensed.problem is kernel.problem


def test_the_gradient_is_the_slope_of_the_value() -> None:
    problem = CASES["partly balanced, k=2, p=3"]
    condensed = problem.kernel.condensed
    gradient = criterion(problem.lam, condensed.problem, True, np.nan)[1]
    for i, step in enumerate(1e-5 * np.eye(len(problem.lam))):
        up, down = (criterion(problem.lam + s * step, condensed.problem, True, np.nan)[0] for s in (1, -1))
        assert_allclose(gradient[i], (up - down) / 2e-5, rtol=1e-5, atol=1e-6)

"""Rows joined by R: levels of one block meet; against the dense V."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.linalg import solve_triangular

from bayeslmm.kernel.kernel import Kernel
from bayeslmm.kernel.problem import layout as at
from bayeslmm.kernel.problem.blocks import BlockSize
from bayeslmm.kernel.problem.crossproducts import Observations
from bayeslmm.kernel.problem.streaming import Basis, Chunk, finish, plan_of, sums
from bayeslmm.kernel.problem.together import InRows, joined
from tests.kernel.problems import STRUCTURES, Problem, make
from tests.kernel.values.test_density import differences

N = 90
GROUPS = ("fine", "middle", "coarse", "other", "pairs")


def groups_of(name: str, seed: int = 0) -> np.ndarray:
    """Residual groups (n,): the levels of one of the factors, or pairs of rows that follow each other."""
    if name == "pairs":
        return np.arange(N) // 2
    levels = make("nested and crossed", seed=seed).blocks
    own = dict(zip(("other", "coarse", "fine", "middle"), levels, strict=True))
    return own[name][0]


def correlated(groups: np.ndarray, seed: int = 3) -> np.ndarray:
    """R (n, n): dense within groups."""
    rng = np.random.default_rng(seed)
    R = np.zeros((len(groups), len(groups)))
    for group in np.unique(groups):
        rows = np.flatnonzero(groups == group)
        root = rng.normal(size=(len(rows), len(rows) + 2))
        R[np.ix_(rows, rows)] = root @ root.T / len(rows)
    return R


def kernel_of(problem: Problem, groups: np.ndarray, R: np.ndarray) -> Kernel:
    rows = Observations.of(problem.y, problem.X, problem.blocks, [None] * len(problem.blocks), groups)
    return Kernel.of_rows(rows.whitened(whitening(R)), float(np.linalg.slogdet(R)[1]))


def whitening(R: np.ndarray):
    from scipy.sparse import csr_array, issparse

    L = np.linalg.cholesky(R)

    def whiten(rows):
        if issparse(rows):
            return csr_array(whiten(rows.toarray()))
        return solve_triangular(L, rows.reshape(len(rows), -1), lower=True).reshape(rows.shape)

    return whiten


@pytest.mark.parametrize("grouped", GROUPS)
@pytest.mark.parametrize("structure", STRUCTURES)
def test_moments_and_effects_are_those_of_the_dense_covariance(structure: str, grouped: str) -> None:
    problem, groups = make(structure, 2), groups_of(grouped)
    R = correlated(groups)
    kernel = kernel_of(problem, groups, R)
    root = problem.Z @ problem.Lambda
    V0 = root @ root.T + R
    right = np.column_stack([problem.X, problem.y])
    back = np.block([[kernel.R_X, kernel.gamma_ls[:, None]], [np.zeros((1, 2)), np.ones((1, 1))]])
    moments = kernel.moments(problem.lam)
    dense = right.T @ np.linalg.solve(V0, right)
    assert_allclose(moments.logdet, np.linalg.slogdet(V0)[1], rtol=1e-11, atol=1e-9)
    assert_allclose(back.T @ moments.A @ back, dense, rtol=1e-8, atol=1e-9 * np.abs(dense).max())
    T = problem.Lambda @ problem.Lambda.T
    gain = T @ problem.Z.T @ np.linalg.inv(V0)
    beta = np.array([0.3, -0.2])
    conditional = kernel.conditional(problem.lam)
    b = conditional.solution(kernel.to_delta(beta))
    assert_allclose(b, gain @ (problem.y - problem.X @ beta), rtol=1e-8, atol=1e-9)
    draws = conditional.draw(np.eye(kernel.q))
    assert_allclose(draws @ draws.T, T - gain @ problem.Z @ T, atol=1e-10)
    condensed = kernel.condensed.problem
    assert_allclose(Kernel(condensed).moments(problem.lam).A, moments.A, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("grouped", GROUPS)
@pytest.mark.parametrize("structure", STRUCTURES)
def test_gradient_by_factors(structure: str, grouped: str) -> None:
    problem, groups = make(structure, 2), groups_of(grouped)
    kernel = kernel_of(problem, groups, correlated(groups))
    _, slope = kernel.criterion(problem.lam, True)
    expected = differences(lambda lam: kernel.criterion(lam, True)[0], problem.lam)
    assert_allclose(slope, expected, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize(
    ("structure", "grouped", "lead", "tail"),
    [
        ("one", "fine", 15, 0),  # a factor that is the residual group
        ("one", "middle", 15, 0),  # nested in it: small cliques stay panels
        ("one", "coarse", 0, 15),  # cliques that are a large part of the block
        ("one", "other", 0, 15),  # crossed with it
        ("nested", "middle", 15 * 2 + 5 + 3, 0),
        ("crossed", "fine", 30, 6),
        ("crossed", "other", 6, 30),  # the block that is the group leads, the one that meets is held dense
    ],
)
def test_where_blocks_go(structure: str, grouped: str, lead: int, tail: int) -> None:
    groups = groups_of(grouped)
    header = kernel_of(make(structure), groups, correlated(groups)).problem.ints
    assert (header[at.Q_LEAD], header[at.Q_TAIL]) == (lead, tail)


def test_cliques_are_joined_through_others() -> None:
    levels, groups = np.array([0, 1, 1, 3, 2, 4]), np.array([0, 0, 1, 1, 2, 3])
    assert joined(levels, groups, 6).tolist() == [0, 0, 2, 0, 4, 5]
    blocks = make("nested").blocks
    assert (
        InRows(Observations.of(np.zeros(N), np.zeros((N, 0)), blocks, [None] * 3).blocks).clique(1)[14] == 14
    )


@pytest.mark.parametrize("grouped", ["fine", "middle", "coarse"])
@pytest.mark.parametrize("structure", ["one", "nested", "crossed", "nested and crossed"])
def test_chunks_of_whole_groups_add_up(structure: str, grouped: str) -> None:
    problem, groups = make(structure, 2), groups_of(grouped)
    R = correlated(groups)
    codes = [block[0] for block in problem.blocks]
    pairs = {
        (a, b): np.unique(np.stack([codes[a], codes[b]], axis=1), axis=0)
        for a in range(len(codes))
        for b in range(a + 1, len(codes))
    }
    joining = [np.unique(np.stack([each, groups], axis=1), axis=0) for each in codes]
    shapes = [BlockSize(n_levels, columns.shape[1]) for _, columns, n_levels in problem.blocks]
    plan = plan_of(shapes, pairs, 2, joining)
    columns = tuple(block[1] for block in problem.blocks)
    basis = Basis.of(problem.y, problem.X, np.arange(2), columns, whitening(R))
    total = None
    for group in np.unique(groups):
        rows = np.flatnonzero(groups == group)
        own = R[np.ix_(rows, rows)]
        chunk = Chunk(
            problem.y[rows],
            problem.X[rows],
            tuple(each[rows] for each in codes),
            tuple(each[rows] for each in columns),
            whitening(own),
            float(np.linalg.slogdet(own)[1]),
        )
        total = sums(plan, basis, chunk) if total is None else total + sums(plan, basis, chunk)
    found = Kernel(finish(plan, basis, total)).criterion(problem.lam, True)
    expected = kernel_of(problem, groups, R).criterion(problem.lam, True)
    assert_allclose(found[0], expected[0], rtol=1e-11)
    assert_allclose(found[1], expected[1], rtol=1e-8, atol=1e-8)

"""Moment estimates against their dense definition, and against REML where the two are the same."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_allclose

import bayeslmm as bl
from bayeslmm.kernel.search.moment_start import RANGE, relative_covariances
from bayeslmm.likelihood.criterion import moment_start
from tests.kernel.problems import STRUCTURES, Problem, make


def simulated(structure: str, p: int) -> Problem:
    """A problem whose response has the covariance its Λ says."""
    problem = make(structure, p, seed=3)
    root = np.linalg.cholesky(problem.V0)
    return replace(problem, y=root @ np.random.default_rng(4).normal(size=len(problem.y)))


def dense_estimates(problem: Problem) -> tuple[float, list[np.ndarray]]:
    """sigma², and sigma² T of each block: squares of Z'r matched to their expectations."""
    root = np.sqrt(problem.weights)[:, None]
    Q = np.linalg.qr(problem.X * root)[0]
    M = np.eye(len(root)) - Q @ Q.T
    V = [(problem.Z[:, rows] * root, size) for rows, size in _levels(problem)]
    ks = [block[1].shape[1] for block in problem.blocks]
    left, right = [], []
    for b, k in enumerate(ks):
        for a in range(k):
            for c in range(k):
                ours = [(Z[:, a], Z[:, c]) for Z, block in V if block == b]
                form = M @ sum(np.outer(z, w) for z, w in ours) @ M
                left.append([*_expectations(form, V, ks), np.trace(form)])
                right.append((problem.y * root[:, 0]) @ form @ (problem.y * root[:, 0]))
    left.append([*_expectations(M, V, ks), np.trace(M)])
    right.append((problem.y * root[:, 0]) @ M @ (problem.y * root[:, 0]))
    solution = np.linalg.lstsq(np.array(left), np.array(right))[0]
    ends = np.cumsum([0, *(k * k for k in ks)])
    T = [solution[i:j].reshape(k, k) for i, j, k in zip(ends, ends[1:], ks, strict=False)]
    return solution[-1], T


def _levels(problem: Problem) -> list[tuple[slice, int]]:
    out, first = [], 0
    for number, (_, columns, n_levels) in enumerate(problem.blocks):
        for _ in range(n_levels):
            out.append((slice(first, first + columns.shape[1]), number))
            first += columns.shape[1]
    return out


def _expectations(form: np.ndarray, V: list, ks: list[int]) -> list[float]:
    return [
        sum(Z[:, a] @ form @ Z[:, c] for Z, block in V if block == b)
        for b, k in enumerate(ks)
        for a in range(k)
        for c in range(k)
    ]


@pytest.mark.parametrize("p", [0, 1, 3])
@pytest.mark.parametrize("structure", [name for name in STRUCTURES if name != "none"])
def test_estimates_are_those_of_the_dense_equations(structure: str, p: int) -> None:
    problem = simulated(structure, p)
    kernel = problem.kernel
    found = relative_covariances(kernel.problem)
    variance, expected = dense_estimates(problem)
    assert (found is None) == (variance <= 0)
    for (_, columns, _), T, dense in zip(problem.blocks, found or [], expected, strict=found is not None):
        R = np.linalg.qr(columns * np.sqrt(problem.weights)[:, None], mode="r") / np.sqrt(len(columns))
        values, vectors = np.linalg.eigh(R @ (dense + dense.T) @ R.T / (2 * variance))
        clipped = (vectors * np.clip(values, *RANGE)) @ vectors.T
        assert_allclose(R @ T @ R.T, clipped, rtol=1e-8, atol=1e-8 * np.abs(clipped).max())


@pytest.mark.parametrize(
    ("data", "formula"),
    [
        ("sleepstudy", "Reaction ~ Days + (Days | Subject)"),
        ("Penicillin", "diameter ~ 1 + (1 | plate) + (1 | sample)"),
        ("Pastes", "strength ~ 1 + (1 | batch/cask)"),
    ],
)
def test_estimates_of_balanced_data_are_those_of_reml(data: str, formula: str) -> None:
    model = bl.LinearMixedModel(formula, bl.load_dataset(data))
    assert_allclose(moment_start(model.design.kernel, model.design.covariance), model.fit().theta, rtol=1e-9)

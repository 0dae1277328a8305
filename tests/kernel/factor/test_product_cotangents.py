"""Derivatives by cross-products against differences, for every layout."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from bayeslmm.kernel.factor.factored import Factored
from bayeslmm.kernel.kernel import Kernel
from bayeslmm.kernel.problem import layout as at
from bayeslmm.kernel.problem.layout import Problem
from tests.kernel.problems import STRUCTURES, build, crossed_kernel, make

STEP = 1e-5


def related() -> tuple[Kernel, np.ndarray]:
    """A problem with a known covariance between levels."""
    problem = make("crossed")
    L = np.linalg.cholesky(np.eye(15) + 0.5)
    return build(problem.y, problem.X, problem.blocks, problem.weights, (L, None)), problem.lam


KERNELS = {
    **{f"{name} {p}": (name, p) for name in STRUCTURES for p in (0, 2)},
    "lapack": crossed_kernel,
    "known": related,
}


def of(name: str) -> tuple[Kernel, np.ndarray]:
    chosen = KERNELS[name]
    if callable(chosen):
        return chosen()
    problem = make(*chosen)
    return problem.kernel, problem.lam


def direction(problem: Problem, rng: np.random.Generator) -> np.ndarray:
    """A random change of the numbers that leaves cross-products symmetric."""
    change = Problem(problem.ints, np.zeros_like(problem.floats))
    change.panels[:] = rng.normal(size=len(change.panels))
    nodes = problem.nodes
    for start, k in zip(nodes.panel.tolist(), nodes.k.tolist(), strict=True):
        own = change.panels[start : start + k * k].reshape(k, k)
        own += own.T.copy()
    tail = rng.normal(size=change.tail.shape)
    change.tail[:] = tail + tail.T
    return change.floats


@pytest.mark.parametrize("name", KERNELS)
def test_derivatives_by_cross_products(name: str) -> None:
    kernel, lam = of(name)
    problem, rng = kernel.problem, np.random.default_rng(5)
    root = rng.normal(size=(kernel.p + 1, kernel.p + 1))
    logdet_bar, A_bar = 0.7, root + root.T
    panels, tail = kernel.factored(lam).by_products(logdet_bar, A_bar)
    assert_allclose(tail, tail.T)
    log_det = problem.ints[at.CONSTANTS]

    def f(floats: np.ndarray) -> float:
        there = Factored.at(lam, Problem(problem.ints, floats))
        return logdet_bar * there.logdet + float(np.sum(A_bar * there.A))

    for _ in range(4):
        change = direction(problem, rng)
        moved = Problem(problem.ints, change)
        there, here = f(problem.floats + STEP * change), f(problem.floats - STEP * change)
        found = np.sum(panels * moved.panels) + np.sum(tail * moved.tail)
        assert change[log_det] == 0.0
        size = np.sum(np.abs(panels * moved.panels)) + np.sum(np.abs(tail * moved.tail))
        assert_allclose(found, (there - here) / (2 * STEP), rtol=1e-7, atol=1e-8 * size + 1e-9 * abs(here))

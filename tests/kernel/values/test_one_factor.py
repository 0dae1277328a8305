"""One grouping factor: the density compiled for its sizes against the general one and the dense V."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from bayeslmm.kernel.values.density import integrated, marginal
from bayeslmm.kernel.values.one_factor import (
    integrated_for_one_factor,
    marginal_for_one_factor,
    one_factor_sizes,
)
from tests.kernel.problem.test_condensed import CASES
from tests.kernel.problems import Problem
from tests.kernel.values.test_density import SIGMA, dense_integrated, dense_marginal

USUAL = ("balanced, k=1, p=1", "balanced, k=2, p=3", "one of each, k=2, p=3", "between")
ONE_FACTOR = [  # a pair of sizes is a function to compile
    pytest.param(name, marks=[pytest.mark.slow] * (name not in USUAL))
    for name, case in CASES.items()
    if len(case.blocks) == 1
]


def scaled(name: str, scale: float) -> Problem:
    case = CASES[name]
    return Problem(case.y, case.X, case.blocks, case.weights, scale * case.lam)


@pytest.mark.parametrize("scale", [0.0, 1e-6, 1.0, 30.0])
@pytest.mark.parametrize("condensed", [True, False])
@pytest.mark.parametrize("name", ONE_FACTOR)
def test_integrated_is_the_general_one(name: str, condensed: bool, scale: float) -> None:
    problem = scaled(name, scale)
    packed = (problem.kernel.condensed if condensed else problem.kernel).problem
    p, rng = problem.X.shape[1], np.random.default_rng(2)
    root = rng.normal(size=(p, p))
    arguments = (problem.lam, SIGMA, root @ root.T, rng.normal(size=p), packed)
    value, dlam, dsigma = integrated_for_one_factor(*one_factor_sizes(packed))(*arguments)
    expected, by_lam, by_sigma = integrated(*arguments)
    assert_allclose(value, expected, rtol=1e-13)
    assert_allclose(dlam, by_lam, rtol=1e-9, atol=1e-12 * max(1.0, np.abs(by_lam).max()))
    assert_allclose(dsigma, by_sigma, rtol=1e-9)


@pytest.mark.parametrize("condensed", [True, False])
@pytest.mark.parametrize("name", ONE_FACTOR)
def test_marginal_is_the_general_one(name: str, condensed: bool) -> None:
    problem = CASES[name]
    packed = (problem.kernel.condensed if condensed else problem.kernel).problem
    beta = np.random.default_rng(3).normal(size=problem.X.shape[1])
    arguments = (problem.lam, SIGMA, beta, packed)
    value, *slopes = marginal_for_one_factor(*one_factor_sizes(packed))(*arguments)
    expected, *general = marginal(*arguments)
    assert_allclose(value, expected, rtol=1e-13)
    for found, slope in zip(slopes, general, strict=True):
        assert_allclose(found, slope, rtol=1e-9, atol=1e-12 * max(1.0, np.abs(slope).max(initial=0.0)))


@pytest.mark.parametrize("name", ["balanced, k=1, p=1", "one of each, k=2, p=3", "between"])
def test_values_are_those_of_the_dense_covariance(name: str) -> None:
    problem = CASES[name]
    packed, p = problem.kernel.condensed.problem, problem.X.shape[1]
    sizes, flat = one_factor_sizes(packed), (np.zeros((p, p)), np.zeros(p))
    value = integrated_for_one_factor(*sizes)(problem.lam, SIGMA, *flat, packed)[0]
    assert_allclose(value, dense_integrated(problem, *flat, SIGMA), rtol=1e-11)
    beta = np.random.default_rng(3).normal(size=p)
    value = marginal_for_one_factor(*sizes)(problem.lam, SIGMA, beta, packed)[0]
    assert_allclose(value, dense_marginal(problem, beta, SIGMA), rtol=1e-12)


@pytest.mark.parametrize("wild", [np.nan, np.inf, 1e200])
def test_an_impossible_factor_is_minus_infinity(wild: float) -> None:
    problem = CASES["balanced, k=2, p=1"]
    packed, flat = problem.kernel.condensed.problem, (np.zeros((1, 1)), np.zeros(1))
    lam = np.full(4, wild)
    value, dlam, _ = integrated_for_one_factor(2, 1)(lam, SIGMA, *flat, packed)
    assert value == -np.inf
    assert not dlam.any()


def test_other_problems_have_no_leaf_sizes() -> None:
    assert one_factor_sizes(CASES["balanced, k=2, p=3"].kernel.problem) == (2, 3)
    for name in ("nested", "crossed", "nested and crossed"):
        assert one_factor_sizes(CASES[name].kernel.problem) is None

"""Derivatives of log densities by φ, against differences over problems at other φ."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from bayeslmm.kernel.problem.crossproducts import Observations
from bayeslmm.kernel.values.density import integrated_at, marginal_at
from bayeslmm.spec.moving import AtPhi, Moving
from tests.kernel.problems import Problem, make
from tests.kernel.values.test_density import differences
from tests.residuals import RESIDUALS, DenseResidual

SIGMA, BETA = 1.3, np.array([0.4, -0.3])


def moving_of(problem: Problem, kind: str) -> Moving:
    groups, rng = make("nested").blocks[2][0], np.random.default_rng(2)  # middle
    residual = RESIDUALS[kind](90, None, {"group": groups, "time": rng.uniform(0, 4, 90)})
    known = [None] * len(problem.blocks)
    return Moving(
        Observations.of(problem.y, problem.X, problem.blocks, known, residual.groups, residual.spread),
        residual,
    )


def marginal(at: AtPhi, lam: np.ndarray):
    factored = at.kernel.factored(lam)
    return factored, marginal_at(factored.logdet, factored.A, SIGMA, BETA, at.kernel.problem)[:2]


def integrated(at: AtPhi, lam: np.ndarray):
    factored, flat = at.kernel.factored(lam), (np.zeros((2, 2)), np.zeros(2))
    return factored, integrated_at(factored.logdet, factored.A, SIGMA, *flat, at.kernel.problem)[:2]


@pytest.mark.parametrize("density", [marginal, integrated])
@pytest.mark.parametrize("kind", RESIDUALS)
@pytest.mark.parametrize("structure", ["none", "one", "crossed", "nested and crossed"])
def test_gradient_of_log_densities_in_phi(structure: str, kind: str, density) -> None:
    problem = make(structure)
    moving = moving_of(problem, kind)
    phi = np.array([0.3, -0.2])[: moving.residual.n_phi]
    at = moving.at(phi)
    factored, (_, A_bar) = density(at, problem.lam)
    found = at.pull(factored, -0.5, A_bar)
    expected = differences(lambda phi: density(moving.at(phi), problem.lam)[1][0], phi)
    assert_allclose(found, expected, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("kind", RESIDUALS)
def test_the_rows_that_are_pulled_back_are_those_that_were_whitened(kind: str) -> None:
    problem = make("nested and crossed")
    moving = moving_of(problem, kind)
    residual = moving.residual
    assert isinstance(residual, DenseResidual)
    phi = np.array([0.3, -0.2])[: residual.n_phi]
    at = moving.at(phi)
    bars = at.kernel.factored(problem.lam).by_products(1.0, np.eye(3))
    right, *blocks = at.whitened.pull(*bars)
    assert_allclose(residual.whiten(right.rows, phi), at.whitened.fit.right, rtol=1e-9, atol=1e-9)
    for moved in blocks:
        assert moved.rows.shape == moved.by_whitened.shape

"""Derivatives of log densities by φ, against differences over problems at other φ."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_allclose

from bayeslmm.kernel.problem.crossproducts import Observations
from bayeslmm.kernel.values.density import integrated_at, marginal_at
from bayeslmm.spec.moving import AtPhi, Moving
from bayeslmm.spec.residual import Structured
from bayeslmm.spec.residual.examples import of
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


def structured(problem: Problem, correlation: str, variance: str) -> Moving:
    """Rows of few kinds, so that cross-products by class serve."""
    rng = np.random.default_rng(4)
    groups, n = make("nested").blocks[2][0], len(problem.y)
    residual = of(Structured, correlation, variance, n, rng)
    kinds = 1 if correlation == "CompoundSymmetry" else 2
    places = np.concatenate([np.arange(np.count_nonzero(groups == g)) for g in np.unique(groups)])
    at = np.empty(n)
    at[np.argsort(groups, kind="stable")] = places
    data = residual.data | {"group": groups.astype(float), "stratum": (groups % 2).astype(float)}
    residual = replace(
        residual, data=data | {"coordinate 0": at, "values 0": 1.0 + at % kinds, "stratum 0": 0 * at}
    )
    known = [None] * len(problem.blocks)
    return Moving(
        Observations.of(problem.y, problem.X, problem.blocks, known, residual.groups, residual.spread),
        residual,
    )


@pytest.mark.parametrize(
    ("correlation", "variance"),
    [("AR1", "Power"), ("CompoundSymmetry", "Fixed"), ("Toeplitz", "Ident"), ("Exponential", "Exp")],
)
@pytest.mark.parametrize("structure", ["none", "one", "crossed", "nested and crossed"])
def test_by_class_as_of_whitened_rows(
    structure: str, correlation: str, variance: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bayeslmm.spec.moving.SMALL", 10**7)
    problem = make(structure)
    moving = structured(problem, correlation, variance)
    assert moving.by_class is not None
    phi = moving.residual.start + 0.2 * np.cos(np.arange(moving.residual.n_phi))
    found, expected = moving.at(phi), moving.sharp.at(phi)
    bars = []
    for at in (found, expected):
        factored, (value, A_bar) = integrated(at, problem.lam)
        bars.append((value, at.pull(factored, -0.5, A_bar)))
    assert bars[0][0] == pytest.approx(bars[1][0], rel=1e-10)
    assert_allclose(bars[0][1], bars[1][1], rtol=1e-8, atol=1e-9)


def test_where_digits_lack_rows_are_whitened() -> None:
    moving = structured(make("one"), "AR1", "Fixed")
    assert moving.sharp_at(np.array([1.0, 0.5])) is moving
    assert moving.sharp_at(np.array([1.0, 9.0])).by_class is None

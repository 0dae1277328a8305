"""The criterion where R has parameters, against the dense V: value and gradient in x = (θ, φ)."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from scipy.optimize import minimize

from bayeslmm.likelihood.criterion import Criterion
from bayeslmm.likelihood.optimum import optimize
from bayeslmm.spec.build import build
from bayeslmm.spec.design import Design
from bayeslmm.spec.model_spec import ModelSpec
from tests.residuals import RESIDUALS, DenseResidual

FORMULAS = {
    "none": "y ~ x",
    "group": "y ~ x + (x | g)",
    "nested": "y ~ x + (1 | g) + (x | h)",
    "crossed": "y ~ x + (1 | c)",
    "several": "y ~ x + (x || g) + (1 | h) + (1 | c)",
    "slopes crossed": "y ~ 0 + x + (x | c) + (1 | g)",
}


def rows(seed: int = 0, n: int = 60, shift: float = 0.0) -> pd.DataFrame:
    """Groups g of rows, h nested in g, c crossed with both."""
    rng = np.random.default_rng(seed)
    g = rng.permutation(np.arange(n) % 9)
    h = 2 * g + rng.integers(0, 2, n)
    c = rng.permutation(np.arange(n) % 4)
    x = rng.normal(size=n)
    y = shift + x + rng.normal(size=9)[g] + rng.normal(size=4)[c] + rng.normal(size=n)
    return pd.DataFrame({"y": y, "x": x, "g": g, "h": h, "c": c}).astype(dict.fromkeys("ghc", str))


def design_of(formula: str, kind: str, data: pd.DataFrame) -> Design:
    """The design with rows of one g joined by R."""
    made = build(ModelSpec(formula), data).design
    time = np.random.default_rng(7).uniform(0, 4, len(data))
    residual = RESIDUALS[kind](len(data), None, {"group": data["g"].to_numpy(dtype=int), "time": time})
    return replace(made, residual=residual)


def dense_criterion(design: Design, x: np.ndarray, reml: bool) -> float:
    coordinates, residual = design.coordinates, design.residual
    assert isinstance(residual, DenseResidual)
    V = residual.dense(coordinates.phi(x))
    factors = design.covariance.factors(coordinates.theta(x))
    for block, factor in zip(design.blocks, factors, strict=True):
        root = block.matrix() @ np.kron(np.eye(block.n_levels), factor)
        V = V + root @ root.T
    X, y = design.X, design.y - np.mean(design.y) * ("x" not in design.coefs[:1])
    information = X.T @ np.linalg.solve(V, X)
    rest = y - X @ np.linalg.solve(information, X.T @ np.linalg.solve(V, y))
    m = len(y) - X.shape[1] * reml
    extra = np.linalg.slogdet(information)[1] if reml else 0.0
    r2 = rest @ np.linalg.solve(V, rest)
    return float(np.linalg.slogdet(V)[1] + extra + m * (1 + np.log(2 * np.pi * r2 / m)))


@pytest.mark.parametrize("reml", [False, True])
@pytest.mark.parametrize("kind", RESIDUALS)
@pytest.mark.parametrize("formula", FORMULAS)
def test_value_and_gradient(formula: str, kind: str, reml: bool) -> None:
    design = design_of(FORMULAS[formula], kind, rows())
    criterion, rng = Criterion.of(design, reml), np.random.default_rng(3)
    begin = criterion.start()
    for x in (
        begin,
        begin + 0.2 * rng.normal(size=len(begin)),
        criterion.coordinates.join(np.zeros(design.n_theta), 0.3 * rng.normal(size=design.residual.n_phi)),
    ):
        value, gradient = criterion(x)
        assert_allclose(value, dense_criterion(design, x, reml), rtol=1e-11)
        differences = [
            (dense_criterion(design, x + e, reml) - dense_criterion(design, x - e, reml)) / 2e-5
            for e in 1e-5 * np.eye(len(x))
        ]
        assert_allclose(gradient, differences, rtol=1e-6, atol=1e-5)


@pytest.mark.parametrize("kind", RESIDUALS)
def test_a_response_far_from_zero_keeps_the_gradient(kind: str) -> None:
    near, far = (
        Criterion.of(design_of(FORMULAS["several"], kind, rows(shift=shift).round({"y": 3})), True)
        for shift in (0.0, 2.0**20)
    )
    x = near.start() + 0.1
    assert_allclose(far(x)[1], near(x)[1], rtol=1e-7, atol=1e-6)


@pytest.mark.parametrize("kind", ["symmetric", "two spreads"])
@pytest.mark.parametrize("formula", ["none", "several"])
def test_the_search_finds_the_minimum_in_x(formula: str, kind: str) -> None:
    design = design_of(FORMULAS[formula], kind, rows(seed=1))
    found = optimize(Criterion.of(design, True))
    assert found.convergence.converged

    def f(x: np.ndarray) -> float:
        return dense_criterion(design, x, True)

    other = minimize(f, found.x + 0.05, method="BFGS", options={"gtol": 1e-4})
    assert_allclose(found.value, f(found.x), rtol=1e-11)
    assert found.value <= other.fun + 1e-7
    assert_allclose(found.value, other.fun, atol=1e-5)


def test_a_known_covariance_between_levels() -> None:
    design = design_of(FORMULAS["nested"], "autoregressive", rows())
    L = np.linalg.cholesky(np.eye(9) + 0.5)
    blocks = [replace(block, known=L) if block.group == "g" else block for block in design.blocks]
    related = replace(design, random=replace(design.random, blocks=tuple(blocks)))
    criterion = Criterion.of(related, True)
    x = criterion.coordinates.start(np.array([0.5, 0.1, 0.4, 0.7])) + 0.2

    def f(x: np.ndarray) -> float:
        return criterion(x)[0]

    differences = [(f(x + e) - f(x - e)) / 2e-5 for e in 1e-5 * np.eye(len(x))]
    assert_allclose(criterion(x)[1], differences, rtol=1e-6, atol=1e-5)

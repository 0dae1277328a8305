"""The search on functions whose minimum is known."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from bayeslmm.kernel.search.optimizer import Status, minimize, trust_region_step


def rosenbrock(x: np.ndarray) -> tuple[float, np.ndarray]:
    value = 100 * (x[1] - x[0] ** 2) ** 2 + (1 - x[0]) ** 2
    return value, np.array([-400 * x[0] * (x[1] - x[0] ** 2) - 2 * (1 - x[0]), 200 * (x[1] - x[0] ** 2)])


def saddle(x: np.ndarray) -> tuple[float, np.ndarray]:
    """Minima at (±1, 0), a saddle at the origin."""
    return x[0] ** 4 - 2 * x[0] ** 2 + x[1] ** 2, np.array([4 * x[0] ** 3 - 4 * x[0], 2 * x[1]])


@pytest.mark.parametrize("renew", [True, False])
def test_a_curved_valley(renew: bool) -> None:
    outcome = minimize(rosenbrock, np.array([-1.2, 1.0]), np.ones(2), renew=renew)
    assert outcome.status is Status.CONVERGED
    assert_allclose(outcome.x, 1.0, atol=1e-6)


@pytest.mark.parametrize("unit", [1e-8, 1.0, 1e8])
def test_the_unit_of_a_parameter_does_not_matter(unit: float) -> None:
    def f(x: np.ndarray) -> tuple[float, np.ndarray]:
        value, gradient = rosenbrock(x / np.array([unit, 1.0]))
        return value, gradient / np.array([unit, 1.0])

    scale = np.array([unit, 1.0])
    outcome = minimize(f, np.array([-1.2, 1.0]) * scale, scale)
    plain = minimize(rosenbrock, np.array([-1.2, 1.0]), np.ones(2))
    assert outcome.n_evaluations == plain.n_evaluations
    assert_allclose(outcome.x, plain.x * scale, rtol=1e-9)


def test_a_saddle_is_left_though_the_gradient_is_zero() -> None:
    outcome = minimize(saddle, np.zeros(2), np.ones(2))
    assert_allclose(np.abs(outcome.x), [1.0, 0.0], atol=1e-6)


def test_the_evaluations_can_run_out() -> None:
    outcome = minimize(rosenbrock, np.array([-1.2, 1.0]), np.ones(2), max_evaluations=5)
    assert outcome.status is Status.EXHAUSTED
    assert outcome.n_evaluations == 4  # a fifth would leave none for differences


def test_a_search_ends_where_it_is_told_to() -> None:
    outcome = minimize(rosenbrock, np.array([-1.2, 1.0]), np.ones(2), until=lambda x: bool(x[0] > 0))
    assert outcome.status is Status.EXHAUSTED
    assert outcome.x[0] <= 0


def test_a_start_that_cannot_be_evaluated() -> None:
    outcome = minimize(lambda x: (np.inf, np.zeros(2)), np.zeros(2), np.ones(2))
    assert outcome.status is Status.FAILED


def test_infinite_values_are_stepped_back_from() -> None:
    def walled(x: np.ndarray) -> tuple[float, np.ndarray]:
        if x[0] <= 0:
            return np.inf, np.zeros(1)
        return x[0] - np.log(x[0]), np.array([1 - 1 / x[0]])

    assert_allclose(minimize(walled, np.array([5.0]), np.ones(1)).x, 1.0, atol=1e-6)


@pytest.mark.parametrize("radius", [1e-3, 1.0, 1e3])
def test_a_step_is_best_within_its_ball(radius: float) -> None:
    rng = np.random.default_rng(5)
    root, g = rng.normal(size=(4, 4)), rng.normal(size=4)
    H = root @ root.T - 2 * np.eye(4)
    step, decrease = trust_region_step(g, H, radius)
    assert np.linalg.norm(step) <= 1.06 * radius
    assert_allclose(decrease, -(g @ step + 0.5 * step @ H @ step), rtol=1e-10)
    others = rng.normal(size=(2000, 4))
    others *= np.linalg.norm(step) / np.linalg.norm(others, axis=1)[:, None]
    values = others @ g + 0.5 * np.einsum("ij,jk,ik->i", others, H, others)
    assert values.min() >= -decrease - 1e-6 * abs(decrease)

import numpy as np
import pytest

from bayeslmm.render.kde import density


def test_mass_is_one_and_the_shape_is_right():
    draws = np.random.default_rng(1).normal(3, 2, 20_000)
    x, y = density(draws)
    assert np.trapezoid(y, x) == pytest.approx(1, abs=0.01)
    truth = np.exp(-((x - 3) ** 2) / 8) / np.sqrt(8 * np.pi)
    assert np.max(np.abs(y - truth)) < 0.015


def test_a_bound_keeps_its_mass():
    draws = np.abs(np.random.default_rng(1).normal(0, 1, 20_000))
    x, y = density(draws, lower=0.0)
    assert x[0] == 0
    assert y[0] == pytest.approx(2 / np.sqrt(2 * np.pi), rel=0.05)
    assert np.trapezoid(y, x) == pytest.approx(1, abs=0.01)


def test_units_scale_the_density():
    draws = np.random.default_rng(1).gamma(3, 1, 5_000)
    x, y = density(draws, lower=0.0)
    scaled_x, scaled_y = density(1000 * draws, lower=0.0)
    assert scaled_x == pytest.approx(1000 * x)
    assert scaled_y == pytest.approx(y / 1000)


def test_constant_draws_are_drawn_somehow():
    x, y = density(np.full(100, 2.0))
    assert np.all(np.isfinite(y))
    assert x[0] < 2 < x[-1]

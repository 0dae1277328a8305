"""The smooth line: exact on lines, blind to outliers, bent where the points are."""

import numpy as np

from bayeslmm.render.smooth import smooth


def test_a_line_stays_one():
    x = np.random.default_rng(1).uniform(-3, 5, 400)
    at, line = smooth(x, 2 - 3 * x)
    np.testing.assert_allclose(line, 2 - 3 * at, atol=1e-6)


def test_outliers_do_not_bend_it():
    rng = np.random.default_rng(2)
    x = rng.uniform(0, 1, 300)
    y = x + 0.05 * rng.normal(size=300)
    y[::30] += 50
    at, line = smooth(x, y)
    np.testing.assert_allclose(line, at, atol=0.06)


def test_a_bend_is_seen():
    x = np.linspace(-1, 1, 300)
    at, line = smooth(x, x**2)
    assert line[len(line) // 2] < line[0] - 0.3
    assert np.all(np.diff(at) > 0)


def test_a_factor_has_none():
    at, line = smooth(np.repeat([0.0, 1.0], 20), np.arange(40.0))
    assert len(at) == len(line) == 0


def test_many_equal_places_are_no_trouble():
    x = np.repeat(np.arange(5.0), 50)
    at, line = smooth(x, x + np.tile([-1.0, 1.0], 125))
    np.testing.assert_allclose(line, at, atol=0.1)

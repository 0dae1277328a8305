"""x = (θ, φ), with a residual that has two parameters."""

import numpy as np
import pytest

from bayeslmm.datasets import load_dataset
from bayeslmm.spec.build import build
from bayeslmm.spec.coordinates import Coordinates
from bayeslmm.spec.model_spec import ModelSpec
from bayeslmm.spec.residual import PriorWeights


class TwoParameters(PriorWeights):
    """A residual with two parameters that does nothing with them."""

    @property
    def names(self) -> tuple[str, ...]:
        return ("phi[a]", "phi[b]")

    @property
    def start(self) -> np.ndarray:
        return np.array([0.1, 0.2])


@pytest.fixture
def coordinates() -> Coordinates:
    design = build(ModelSpec("Reaction ~ Days + (Days | Subject)"), load_dataset("sleepstudy")).design
    return Coordinates(design.covariance, TwoParameters(design.n))


def test_theta_and_phi_are_views_of_x(coordinates: Coordinates) -> None:
    x = coordinates.start([1.0, 2.0, 3.0])
    assert coordinates.n == 5
    np.testing.assert_array_equal(x, [1, 2, 3, 0.1, 0.2])
    coordinates.theta(x)[0], coordinates.phi(x)[1] = 7.0, 8.0
    np.testing.assert_array_equal(x, [7, 2, 3, 0.1, 8])
    many = np.stack([x, 2 * x])
    assert (coordinates.theta(many).shape, coordinates.phi(many).shape) == ((2, 3), (2, 2))


def test_phi_moves_no_factor(coordinates: Coordinates) -> None:
    x, theta = coordinates.join([1.0, -0.5, -2.0], [0.3, 0.4]), np.array([1.0, -0.5, -2.0])
    by_lam = np.arange(4.0)
    np.testing.assert_array_equal(coordinates.flat(x), coordinates.covariance.flat(theta))
    np.testing.assert_array_equal(coordinates.pull(x, by_lam), coordinates.jacobian(x) @ by_lam)
    np.testing.assert_array_equal(coordinates.jacobian(x)[3:], 0.0)
    np.testing.assert_array_equal(coordinates.normalize(x), [1.0, -0.5, 2.0, 0.3, 0.4])
    np.testing.assert_array_equal(coordinates.scale[3:], 1.0)
    assert not coordinates.linear

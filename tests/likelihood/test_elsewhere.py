"""Far points: where they lie, and which are looked at."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

import bayeslmm as bl
from bayeslmm.likelihood.elsewhere import REACH, far_points, many_points, mirrored
from bayeslmm.spec.relative import CovarianceMap

MACHINES = "score ~ Machine + {}(0 + Machine | Worker)"

FEW_HEAVY_ROWS = pd.DataFrame(
    {
        "y": [-125, -98.4, -132, -43.6, -90.8, 79.1, 16.8, 84.7, 67.9, -59.8, -36.4, -173, -178, 55.9, -189],
        "g": [3, 1, 4, 3, 5, 2, 6, 6, 2, 1, 5, 1, 5, 6, 0],
        "x": [0.0, 0, 1, 1, 0, 1, 1, 1, 0, 0, 0, 1, 0, 1, 0],
        "w": [200, 84.2, 358, 14_100, 1.87, 213_000, 5.26, 9.5, 536_000, 719, 1.2, 35.1, 7.77, 841_000, 347],
    }
)


def covariance(formula: str, dataset: str) -> CovarianceMap:
    return bl.LinearMixedModel(formula, bl.load_dataset(dataset)).design.covariance


def test_effects_within_reach_of_far_points_have_no_mirror_image() -> None:
    own = covariance("Reaction ~ Days + (Days | Subject)", "sleepstudy")
    assert mirrored(own, own.start()) == []
    assert len(mirrored(own, 2 * REACH * own.start())) == 1


@pytest.mark.parametrize("structure", ["us", "cs"])
def test_a_mirror_image_has_the_variances_and_other_signs(structure: str) -> None:
    own = covariance(MACHINES.format(structure), "Machines")
    theta = own.from_factors([20 * np.array([[3.0, 0, 0], [1, 2, 0], [1, 0.5, 2]])])
    T = own.factors(theta)[0] @ own.factors(theta)[0].T
    images = [factor @ factor.T for image in mirrored(own, theta) for factor in own.factors(image)]
    assert len(images) == 2
    for coef, image in enumerate(images, start=1):
        assert_allclose(np.diag(image), np.diag(T), rtol=1e-12)
        if structure == "us":
            signs = np.where(np.arange(3) == coef, -1, 1)
            assert_allclose(image, T * np.outer(signs, signs), rtol=1e-12)


def test_independent_coefs_have_none() -> None:
    own = covariance(MACHINES.format("diag"), "Machines")
    assert mirrored(own, 2 * REACH * own.start()) == []


@pytest.mark.parametrize("points", [far_points, many_points])
def test_independent_coefs_are_bars_of_their_own(points) -> None:
    together = covariance("Reaction ~ Days + (Days || Subject)", "sleepstudy")
    apart = covariance("Reaction ~ Days + (1 | Subject) + (0 + Days | Subject)", "sleepstudy")
    assert_allclose(points(together), points(apart), rtol=1e-12)


def test_two_coefs_of_one_of_two_bars_move_apart_and_together() -> None:
    own = covariance("Reaction ~ 1 + (Days || Subject) + (1 | Days)", "sleepstudy")
    shares = {tuple(row) for row in np.round(far_points(own) / own.start(), 9)}
    assert {(0.0, 1.0, 1.0), (8.0, 1.0, 1.0), (1.0, 0.0, 1.0), (1.0, 8.0, 1.0)} <= shares
    assert {(8.0, 8.0, 0.3), (0.0, 0.0, 2.0)} <= shares


@pytest.mark.filterwarnings("ignore::bayeslmm.errors.SingularFitWarning")
def test_a_valley_where_one_independent_coef_has_vanished_is_found() -> None:
    """The criterion is .84 higher in the valley where both coefs vary."""
    model = bl.LinearMixedModel("y ~ x + (x || g)", FEW_HEAVY_ROWS, weights="w")
    fit, other = model.fit("ML"), model.fit("ML", start=[15.5, 12.4])
    assert other.convergence.converged
    assert other.criterion_value > fit.criterion_value + 0.7
    assert fit.theta_values[1] == 0.0


def test_every_independent_coef_is_alone_at_some_point() -> None:
    own = covariance(MACHINES.format("diag"), "Machines")
    alone = {tuple(np.flatnonzero(np.abs(theta) > 1e-12)) for theta in many_points(own)}
    assert {(0,), (1,), (2,)} <= alone

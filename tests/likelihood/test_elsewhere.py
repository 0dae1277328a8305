"""Far points: where they lie, and which are looked at."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

import bayeslmm as bl
from bayeslmm.likelihood.elsewhere import REACH, many_points, mirrored
from bayeslmm.spec.relative import CovarianceMap

MACHINES = "score ~ Machine + {}(0 + Machine | Worker)"


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


def test_every_independent_coef_is_alone_at_some_point() -> None:
    own = covariance(MACHINES.format("diag"), "Machines")
    alone = {tuple(np.flatnonzero(np.abs(theta) > 1e-12)) for theta in many_points(own)}
    assert {(0,), (1,), (2,)} <= alone

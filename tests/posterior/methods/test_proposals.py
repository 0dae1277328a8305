import numpy as np
import pytest
from scipy.stats import multivariate_t

from bayeslmm.posterior.methods.laplace import LaplaceFit
from bayeslmm.posterior.methods.proposals import DF, LEAST_SHARE, WIDEN, Proposer, Student

ROOT = np.array([[2.0, 0.0], [0.5, 0.7]])


def fit_at(*mode, value=0.0, root=ROOT):
    return LaplaceFit(np.array(mode, dtype=float), value, root, True, 1)


def test_density_is_that_of_a_mixture_of_ts():
    proposer = Proposer.of((fit_at(0, 0), fit_at(5, 1, value=1.0)))
    phi = np.random.default_rng(1).normal(2, 3, (50, 2))
    right = sum(
        share * multivariate_t(part.centre, WIDEN**2 * ROOT @ ROOT.T, DF).pdf(phi)
        for part, share in zip(proposer.parts, (1 / (1 + np.e), np.e / (1 + np.e)), strict=True)
    )
    np.testing.assert_allclose(proposer.log_density(phi), np.log(right), rtol=1e-10)


def test_no_mode_goes_without_proposals():
    light = Proposer.of((fit_at(0, 0), fit_at(5, 1, value=-14.0))).shares[1]
    assert light == pytest.approx(LEAST_SHARE, rel=0.06)


def test_draws_come_from_every_part_by_its_share():
    proposer = Proposer.of((fit_at(-50, 0), fit_at(50, 0, value=1.0)))
    phi = proposer.draw(20_000, np.random.default_rng(2))
    assert np.mean(phi[:, 0] > 0) == pytest.approx(np.e / (1 + np.e), abs=0.01)


def test_a_part_is_adapted_to_the_weighted_moments():
    """Proposals N(0, 2² I) with weights for N(1, I)."""
    phi = 2 * np.random.default_rng(3).standard_normal((40_000, 2))
    log_weight = -0.5 * np.sum((phi - 1) ** 2 - (phi / 2) ** 2, axis=1)
    (part,) = Proposer((Student(np.zeros(2), np.eye(2)),), np.ones(1)).adapted(phi, log_weight).parts
    np.testing.assert_allclose(part.centre, [1, 1], atol=0.03)
    np.testing.assert_allclose(part.root @ part.root.T, np.eye(2), atol=0.05)


def test_parts_are_adapted_each_to_its_own():
    rng = np.random.default_rng(4)
    phi = np.concatenate([rng.normal(-20, 1, (9000, 1)), rng.normal(20, 3, (1000, 1))])
    apart = Proposer(tuple(Student(np.array([c]), np.eye(1)) for c in (-19.0, 19.0)), np.array([0.5, 0.5]))
    found = apart.adapted(phi, np.zeros(len(phi)))
    np.testing.assert_allclose(found.shares, [0.9, 0.1], atol=1e-3)
    np.testing.assert_allclose([part.centre[0] for part in found.parts], [-20, 20], atol=0.3)
    np.testing.assert_allclose([part.root[0, 0] for part in found.parts], [1, 3], rtol=0.1)


def test_a_part_without_points_stays_where_it_is():
    phi = np.random.default_rng(5).normal(0, 1, (1000, 1))
    parts = tuple(Student(np.array([c]), np.eye(1)) for c in (0.0, 300.0))
    found = Proposer(parts, np.array([0.5, 0.5])).adapted(phi, np.zeros(1000))
    assert found.parts[1].centre == 300

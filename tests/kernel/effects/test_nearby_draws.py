"""Draws with one factor for all, against the factor of each."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from bayeslmm.kernel.effects import nearby_draws as room
from bayeslmm.kernel.effects.by_block import by_block
from bayeslmm.kernel.effects.draws import draw_effects
from bayeslmm.kernel.effects.nearby_draws import NearbyDraws
from bayeslmm.kernel.kernel import Kernel
from bayeslmm.kernel.values.fixed_effects import PriorOfDelta
from tests.kernel.problems import crossed_kernel, make

N = 30_000
SIGMA = 1.3
STRUCTURES = ["slopes", "nested", "crossed", "nested and crossed"]
PRIORS = {
    "flat": PriorOfDelta(np.zeros((2, 2)), np.zeros(2)),
    "normal": PriorOfDelta(np.array([[2.0, 0.3], [0.3, 0.5]]), np.array([1.0, -2.0])),
    "given": None,
}


def well_conditioned(kernel: Kernel, lam: np.ndarray) -> np.ndarray:
    """Λ with 1 added on the diagonal of each block, so that it has an inverse to speak of."""
    ones = by_block(kernel.problem, lam[None], lam[None], lambda own, _: np.eye(own.shape[1])[None])
    return np.asarray(np.abs(lam) * ones[0] + lam * (1 - ones[0]) + ones[0])


def problem(structure: str) -> tuple[Kernel, np.ndarray]:
    found = make(structure)
    return found.kernel, well_conditioned(found.kernel, found.lam)


@pytest.mark.parametrize("prior", PRIORS)
@pytest.mark.parametrize("structure", STRUCTURES)
def test_without_perturbation_they_are_the_means(structure: str, prior: str) -> None:
    kernel, lam = problem(structure)
    lams, sigma = np.stack([lam, 0.8 * lam, 1.5 * lam]), np.array([SIGMA, 1.0, 1.5])
    fixed = np.tile([0.4, -0.2], (3, 1)) if PRIORS[prior] is None else np.zeros((3, 2))
    draws = NearbyDraws.around(kernel, lam, SIGMA, PRIORS[prior])
    delta, b = draws.draw(lams, sigma, fixed, np.zeros((3, draws.n_normals)))
    expected = draw_effects(kernel, lams, sigma, fixed, np.zeros((3, kernel.q)), PRIORS[prior])
    assert_allclose(delta, expected[0], rtol=1e-8, atol=1e-8)
    assert_allclose(b, expected[1], rtol=1e-8, atol=1e-8)


@pytest.mark.parametrize("prior", PRIORS)
@pytest.mark.parametrize("structure", STRUCTURES)
def test_the_map_from_normal_numbers_has_the_conditional_covariance(structure: str, prior: str) -> None:
    """A draw is affine in its normal numbers: columns of the map at the unit vectors, no sampling."""
    kernel, lam = problem(structure)
    near, sigma = 1.2 * lam, 1.1 * SIGMA
    draws = NearbyDraws.around(kernel, lam, SIGMA, PRIORS[prior])
    z = np.vstack([np.zeros(draws.n_normals), np.eye(draws.n_normals)])
    many = len(z)
    parts = draws.draw(np.tile(near, (many, 1)), np.full(many, sigma), np.zeros((many, 2)), z)
    effects = np.hstack(parts)
    columns = effects[1:] - effects[0]
    z = np.vstack([np.zeros(kernel.q), np.eye(kernel.q), np.zeros((2, kernel.q))])
    fixed = np.vstack([np.zeros((kernel.q + 1, 2)), np.eye(2) * (PRIORS[prior] is not None)])
    many = len(z)
    parts = draw_effects(kernel, np.tile(near, (many, 1)), np.full(many, sigma), fixed, z, PRIORS[prior])
    direct = np.hstack(parts)
    expected = (direct[1:] - direct[0]).T @ (direct[1:] - direct[0])
    assert_allclose(columns.T @ columns, expected, rtol=1e-7, atol=1e-7 * np.max(expected))


def test_a_large_tail() -> None:
    kernel, lam = crossed_kernel()
    lam = well_conditioned(kernel, lam)
    draws = NearbyDraws.around(kernel, lam, SIGMA, PRIORS["flat"])
    lams, sigma = np.stack([0.9 * lam, 1.1 * lam]), np.array([SIGMA, 1.5])
    found = draws.draw(lams, sigma, np.zeros((2, 2)), np.zeros((2, draws.n_normals)))
    expected = draw_effects(kernel, lams, sigma, np.zeros((2, 2)), np.zeros((2, kernel.q)), PRIORS["flat"])
    for one, other in zip(found, expected, strict=True):
        assert_allclose(one, other, rtol=1e-8, atol=1e-8)


def test_a_draw_does_not_depend_on_its_reference() -> None:
    kernel, lam = problem("crossed")
    z = np.random.default_rng(2).standard_normal((4, 2 * (kernel.q + kernel.p)))
    lams, sigma = np.tile(lam, (4, 1)), np.full(4, SIGMA)
    one, other = (
        NearbyDraws.around(kernel, scale * lam, scale * SIGMA, PRIORS["normal"]).draw(
            lams, sigma, np.zeros((4, 2)), z
        )
        for scale in (0.9, 1.2)
    )
    for left, right in zip(one, other, strict=True):
        assert_allclose(left, right, rtol=1e-7, atol=1e-7)


def test_what_does_not_converge_is_factored(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "STEPS", 1)
    kernel, lam = problem("crossed")
    draws = NearbyDraws.around(kernel, lam, SIGMA, PRIORS["flat"])
    lams, sigma = np.stack([lam, 3.0 * lam]), np.full(2, SIGMA)
    z = np.random.default_rng(2).standard_normal((2, draws.n_normals))
    delta, b = draws.draw(lams, sigma, np.zeros((2, 2)), z)
    expected = draw_effects(
        kernel, lams[1:], sigma[1:], z[1:, -kernel.p :], z[1:, : kernel.q], PRIORS["flat"]
    )
    assert_allclose(delta[1:], expected[0], rtol=1e-12)
    assert_allclose(b[1:], expected[1], rtol=1e-12)

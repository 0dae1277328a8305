"""θ ↔ relative factors ↔ natural parameters, on blocks with one bar and several."""

from dataclasses import replace

import numpy as np
import pytest

from bayeslmm.spec.block import Block, RowsOfBlock
from bayeslmm.spec.covariance import CovarianceStructure, Diagonal, Unstructured
from bayeslmm.spec.relative import CovarianceMap
from bayeslmm.spec.residual import PriorWeights


def block(group: str, n_levels: int, *structures: CovarianceStructure, first_term: int, n: int = 60) -> Block:
    rng = np.random.default_rng(n_levels)
    k = sum(structure.k for structure in structures)
    return Block(
        group=group,
        levels=tuple(str(level) for level in range(n_levels)),
        coefs=tuple(f"x{i}" for i in range(k)),
        structures=structures,
        term_numbers=tuple(range(first_term, first_term + len(structures))),
        incidence=RowsOfBlock(np.arange(n) % n_levels, rng.normal(size=(n, k))),
    )


@pytest.fixture
def map_() -> CovarianceMap:
    small = block("small", 3, Unstructured(2), first_term=0)
    large = block("large", 20, Diagonal(1), Unstructured(3), first_term=1)
    medium = block("medium", 7, Diagonal(2), first_term=3)
    return CovarianceMap.build([small, large, medium])


@pytest.fixture
def theta(map_: CovarianceMap) -> np.ndarray:
    return map_.normalize(np.random.default_rng(0).normal(size=map_.n_theta))


def test_sizes(map_: CovarianceMap) -> None:
    assert map_.n_theta == 3 + 1 + 6 + 2
    assert map_.n_lam == 4 + 16 + 4
    assert map_.linear


def test_theta_goes_by_decreasing_levels(map_: CovarianceMap) -> None:
    groups = [name.removeprefix("theta[").split(":")[0] for name in map_.names]
    assert groups == ["large"] * 7 + ["medium"] * 2 + ["small"] * 3
    assert map_.names[1:4] == ("theta[large: x1]", "theta[large: x1, x2]", "theta[large: x1, x3]")


def test_ties_keep_the_formulas_order() -> None:
    tied = CovarianceMap.build(
        [block("a", 4, Diagonal(1), first_term=0), block("b", 4, Diagonal(1), first_term=1)]
    )
    assert tied.names == ("theta[a: x0]", "theta[b: x0]")


def test_bars_of_one_group_needn_t_be_neighbours_in_theta() -> None:
    levels, codes = ("0", "1"), np.array([0, 1])
    split = Block("a", levels, ("u", "v"), (Diagonal(1),) * 2, (0, 2), RowsOfBlock(codes, np.eye(2)))
    between = Block("b", levels, ("u",), (Diagonal(1),), (1,), RowsOfBlock(codes, np.ones((2, 1))))
    both = CovarianceMap.build([split, between])
    assert both.names == ("theta[a: u]", "theta[b: u]", "theta[a: v]")
    np.testing.assert_array_equal(both.flat([1, 2, 3]), [1, 0, 0, 3, 2])


def test_flat_holds_the_factors(map_: CovarianceMap, theta: np.ndarray) -> None:
    factors = map_.factors(theta)
    np.testing.assert_array_equal(map_.flat(theta), np.concatenate([factor.ravel() for factor in factors]))
    for factor, again in zip(factors, map_.unflatten(map_.flat(theta)), strict=True):
        np.testing.assert_array_equal(factor, again)


def test_from_factors_inverts(map_: CovarianceMap, theta: np.ndarray) -> None:
    np.testing.assert_array_equal(map_.from_factors(map_.factors(theta)), theta)


def test_jacobian(map_: CovarianceMap, theta: np.ndarray) -> None:
    step = 1e-6
    numeric = [
        (map_.flat(theta + step * e) - map_.flat(theta - step * e)) / (2 * step) for e in np.eye(map_.n_theta)
    ]
    np.testing.assert_allclose(map_.jacobian(theta), numeric, atol=1e-9)


def test_no_covariance_across_bars(map_: CovarianceMap, theta: np.ndarray) -> None:
    large = map_.factors(theta)[1]
    np.testing.assert_array_equal(large[0, 1:], 0)
    np.testing.assert_array_equal(large[1:, 0], 0)
    assert map_.block_pairs(1) == ((1, 2), (1, 3), (2, 3))
    assert map_.block_pairs(2) == ()


def test_natural_round_trip(map_: CovarianceMap, theta: np.ndarray) -> None:
    sigma = 2.5
    natural = map_.natural(theta, sigma)
    for group, factor in zip(map_.groups, map_.factors(theta), strict=True):
        covariance = sigma**2 * factor @ factor.T
        np.testing.assert_allclose(natural.sd[group] ** 2, np.diag(covariance), rtol=1e-13)
    np.testing.assert_allclose(
        map_.from_natural(natural.sd, natural.cor, sigma), map_.flat(theta), atol=1e-12
    )
    np.testing.assert_allclose(map_.theta_of_natural(natural.sd, natural.cor, sigma), theta, atol=1e-12)


def test_natural_at_zero(map_: CovarianceMap) -> None:
    natural = map_.natural(np.zeros(map_.n_theta), 1.0)
    assert np.isnan(natural.cor["small"]).all()
    np.testing.assert_array_equal(map_.from_natural(natural.sd, natural.cor, 1.0), np.zeros(map_.n_lam))


def test_correlations_stay_within_one() -> None:
    one = CovarianceMap.build([block("g", 5, Unstructured(2), first_term=0)])
    cor = one.natural([0.1, 0.3, 0.0], 1.0).cor["g"]
    assert abs(cor[0]) == 1.0


def test_start_is_away_from_zero_whatever_the_units() -> None:
    own = block("g", 5, Unstructured(2), first_term=0)
    rescaled = replace(own, incidence=RowsOfBlock(own.codes, own.columns * [1.0, 1e6]))
    a, b = CovarianceMap.build([own]).start(), CovarianceMap.build([rescaled]).start()
    np.testing.assert_allclose(b, a * [1, 1e-6, 1e-6], rtol=1e-9)


def test_start_counts_the_residual() -> None:
    own = block("g", 5, Diagonal(1), first_term=0)
    plain = CovarianceMap.build([own]).start()
    np.testing.assert_allclose(
        CovarianceMap.build([own], PriorWeights.of(np.full(60, 4.0))).start(), plain / 2
    )


def test_no_random_effects() -> None:
    empty = CovarianceMap.build([])
    assert (empty.n_theta, empty.n_lam, empty.names) == (0, 0, ())
    assert empty.flat([]).shape == (0,)
    assert empty.start().shape == (0,)
    assert empty.natural([], 1.0) == ({}, {})

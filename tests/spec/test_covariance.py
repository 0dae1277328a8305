"""Every covariance structure, tested by existing."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bayeslmm.errors import OptionError
from bayeslmm.spec.covariance import (
    Autoregression,
    CompoundSymmetry,
    CovarianceStructure,
    Diagonal,
    HomogeneousCompoundSymmetry,
    OneCorrelation,
    Unstructured,
    correlation_factor,
    structures_by_keyword,
)
from bayeslmm.spec.covariance.algebra import inverse_factor

STRUCTURES = list(structures_by_keyword().values())
ONE_CORRELATION = [kind for kind in STRUCTURES if issubclass(kind, OneCorrelation)]
every_structure = pytest.mark.parametrize(
    "structure", [kind(k) for kind in STRUCTURES for k in (1, 2, 4)], ids=lambda s: f"{s.keyword}{s.k}"
)


def random_theta(structure: CovarianceStructure, seed: int = 1) -> np.ndarray:
    theta = np.random.default_rng(seed).normal(size=structure.n_params)
    return structure.normalize(theta)


@every_structure
def test_factor_and_parameters_are_inverse(structure: CovarianceStructure) -> None:
    theta = random_theta(structure)
    factor = structure.factor(theta)
    assert factor.shape == (structure.k, structure.k)
    np.testing.assert_allclose(structure.parameters(factor), theta, rtol=1e-13)


@every_structure
def test_parameters_of_any_root(structure: CovarianceStructure) -> None:
    theta = random_theta(structure)
    turn, _ = np.linalg.qr(np.random.default_rng(2).normal(size=(structure.k, structure.k)))
    np.testing.assert_allclose(structure.parameters(structure.factor(theta) @ turn), theta, rtol=1e-9)


@every_structure
def test_derivative(structure: CovarianceStructure) -> None:
    theta, step = random_theta(structure), 1e-6
    numeric = [
        (structure.factor(theta + step * e) - structure.factor(theta - step * e)) / (2 * step)
        for e in np.eye(structure.n_params)
    ]
    np.testing.assert_allclose(structure.derivative(theta), numeric, atol=1e-8)


@every_structure
def test_linear_structures_are_linear(structure: CovarianceStructure) -> None:
    theta = random_theta(structure)
    linear = np.tensordot(theta, structure.derivative(theta), axes=1)
    if structure.k > 1:
        assert structure.linear == np.allclose(structure.factor(theta), linear)


@every_structure
def test_normalize_keeps_the_covariance(structure: CovarianceStructure) -> None:
    theta = np.random.default_rng(3).normal(size=structure.n_params)
    normal = structure.normalize(theta)
    before, after = structure.factor(theta), structure.factor(normal)
    np.testing.assert_allclose(after @ after.T, before @ before.T, rtol=1e-12)
    np.testing.assert_allclose(structure.normalize(normal), normal, rtol=1e-15)
    assert (normal >= structure.lower).all()


@every_structure
def test_natural_parameters(structure: CovarianceStructure) -> None:
    factor = structure.factor(random_theta(structure))
    T = factor @ factor.T
    sd = np.sqrt(np.diag(T))
    cor = np.array([T[i, j] / (sd[i] * sd[j]) for i, j in structure.pairs])
    again = structure.factor_natural(sd[list(structure.sd_index)], cor)
    np.testing.assert_allclose(again @ again.T, T, rtol=1e-12, atol=1e-12)


@every_structure
def test_one_name_a_parameter(structure: CovarianceStructure) -> None:
    names = structure.names(tuple("abcd"[: structure.k]))
    assert len(set(names)) == structure.n_params
    assert len(structure.lower) == structure.n_params


@every_structure
def test_start_is_a_unit_contribution(structure: CovarianceStructure) -> None:
    scales = 10.0 ** np.arange(structure.k)  # coefs in units far apart
    gram = np.diag(scales**2)
    factor = structure.factor(structure.start(gram, inverse_factor(gram)))
    np.testing.assert_allclose(np.trace(gram @ factor @ factor.T), structure.k, rtol=1e-12)
    if not structure.shared_sd:
        np.testing.assert_allclose(factor, np.diag(1 / scales), rtol=1e-12, atol=1e-15)


def test_start_of_unstructured_inverts_the_gram() -> None:
    gram = np.array([[1.0, 4.5], [4.5, 28.5]])
    factor = Unstructured(2).factor(Unstructured(2).start(gram, inverse_factor(gram)))
    np.testing.assert_allclose(factor @ factor.T, np.linalg.inv(gram), rtol=1e-10)


def test_start_with_collinear_or_zero_coefs() -> None:
    singular = np.array([[4.0, 2.0, 0.0], [2.0, 1.0, 0.0], [0.0, 0.0, 0.0]])
    factor = Unstructured(3).factor(Unstructured(3).start(singular, inverse_factor(singular)))
    assert np.isfinite(factor).all()
    assert (np.diag(factor) > 0).all()


def test_unstructured_goes_column_by_column() -> None:
    factor = Unstructured(3).factor([1, 2, 3, 4, 5, 6])
    np.testing.assert_array_equal(factor, [[1, 0, 0], [2, 4, 0], [3, 5, 6]])
    assert Unstructured(3).names(("a", "b", "c")) == ("a", "a, b", "a, c", "b", "b, c", "c")
    assert Unstructured(3).pairs == ((0, 1), (0, 2), (1, 2))
    np.testing.assert_array_equal(Unstructured(2).lower, [0, -np.inf, 0])


def test_diagonal_has_no_correlation() -> None:
    assert Diagonal(3).pairs == ()
    np.testing.assert_array_equal(Diagonal(2).factor([1, 2]), np.diag([1, 2]))


@pytest.mark.parametrize("cor", [1.0, -1.0, 1 - 1e-15, 0.999999])
def test_correlation_up_to_one(cor: float) -> None:
    factor = Unstructured(2).factor_natural([2.0, 3.0], [cor])
    np.testing.assert_allclose(factor @ factor.T, [[4, 6 * cor], [6 * cor, 9]], rtol=1e-14)


@pytest.mark.parametrize("cor", [0.7, np.nan])
def test_zero_sd_makes_the_correlation_irrelevant(cor: float) -> None:
    factor = Unstructured(3).factor_natural([2.0, 0.0, 3.0], [cor, 0.5, cor])
    np.testing.assert_allclose(factor @ factor.T, [[4, 0, 3], [0, 0, 0], [3, 0, 9]], atol=1e-14)


def test_singular_correlation_matrix() -> None:
    L = np.array([[1.0, 0, 0], [0.6, 0.8, 0], [1.0, 0, 0]])
    np.testing.assert_allclose(correlation_factor(L @ L.T), L, atol=1e-12)


def test_not_a_correlation_matrix() -> None:
    with pytest.raises(OptionError, match="don't make a correlation matrix"):
        Unstructured(3).factor_natural([1, 1, 1], [0.9, 0.9, -0.9])
    with pytest.raises(OptionError, match="don't make a correlation matrix"):
        Unstructured(2).factor_natural([1, 1], [1.5])
    with pytest.raises(OptionError, match="don't make a correlation matrix"):
        Unstructured(3).factor_natural([1, 1, 1], [1.0, 0.5, 0.2])


@given(st.integers(1, 5), st.integers(0, 10**6))
def test_correlation_factor_is_cholesky(k: int, seed: int) -> None:
    A = np.random.default_rng(seed).normal(size=(k, k + 1))
    S = A @ A.T
    scale = 1 / np.sqrt(np.diag(S))
    R = scale[:, None] * S * scale
    L = correlation_factor(R)
    np.testing.assert_allclose(L @ L.T, R, atol=1e-12)


@every_structure
def test_at_zero_the_ways_off_are_inside_the_structure(structure: CovarianceStructure) -> None:
    gram, coefs = np.diag(1.0 + np.arange(structure.k)), tuple("abcd"[: structure.k])
    theta = structure.parameters(np.zeros((structure.k, structure.k)))
    departures = structure.vanished(theta, gram, coefs)
    assert departures
    for path in (path for departure in departures for path in departure.paths):
        factor, slope = path(0.1)
        inside = structure.factor(structure.parameters(factor))
        np.testing.assert_allclose(inside @ inside.T, factor @ factor.T, atol=1e-12)
        np.testing.assert_allclose(slope, (path(0.1 + 1e-6)[0] - path(0.1 - 1e-6)[0]) / 2e-6, atol=1e-8)


@every_structure
def test_inside_nothing_has_vanished(structure: CovarianceStructure) -> None:
    coefs = tuple("abcd"[: structure.k])
    assert not structure.vanished(random_theta(structure), np.eye(structure.k), coefs)


@pytest.mark.parametrize("kind", ONE_CORRELATION, ids=lambda kind: kind.keyword)
@pytest.mark.parametrize("end", [0, 1])
def test_the_ends_of_the_correlation(kind: type[OneCorrelation], end: int) -> None:
    structure = kind(3)
    assert structure.cor_range is not None
    cor = structure.cor_range[end]
    factor = structure.factor_natural(np.full(len(structure.sd_index), 2.0), [cor])
    T = factor @ factor.T
    np.testing.assert_allclose(T[1, 0], 4 * cor, atol=1e-14)
    assert np.linalg.matrix_rank(T) < 3
    theta = structure.parameters(factor)
    near = structure.factor(theta)
    np.testing.assert_allclose(near @ near.T, T, atol=1e-12)
    for clear in structure.without_small(theta, np.eye(3), 1e-3):
        theta = clear(theta)
    (departure,) = structure.vanished(theta, np.eye(3), ("a", "b", "c"))
    moved, _ = departure.paths[0](0.1)
    assert np.linalg.matrix_rank(moved) > np.linalg.matrix_rank(T)


@pytest.mark.parametrize("kind", ONE_CORRELATION, ids=lambda kind: kind.keyword)
def test_a_correlation_out_of_range(kind: type[OneCorrelation]) -> None:
    structure = kind(3)
    assert structure.cor_range is not None
    for cor in (1.01, structure.cor_range[0] - 0.01):
        with pytest.raises(OptionError, match="outside its range"):
            structure.factor_natural(np.ones(len(structure.sd_index)), [cor])


def test_compound_symmetry() -> None:
    factor = CompoundSymmetry(3).factor_natural([1.0, 2.0, 3.0], [0.4])
    np.testing.assert_allclose(factor @ factor.T, [[1, 0.8, 1.2], [0.8, 4, 2.4], [1.2, 2.4, 9]])
    factor = HomogeneousCompoundSymmetry(3).factor_natural([2.0], [-0.4])
    np.testing.assert_allclose(factor @ factor.T, 4 * np.where(np.eye(3) == 1, 1.0, -0.4))


def test_autoregression() -> None:
    factor = Autoregression(4).factor_natural([2.0], [-0.6])
    lag = np.abs(np.subtract.outer(np.arange(4), np.arange(4)))
    np.testing.assert_allclose(factor @ factor.T, 4 * (-0.6) ** lag)


def test_found_by_keyword() -> None:
    assert structures_by_keyword()["us"] is Unstructured
    assert structures_by_keyword()["diag"] is Diagonal
    assert set(structures_by_keyword()) >= {"us", "diag", "homdiag", "cs", "homcs", "ar1", "hetar1"}

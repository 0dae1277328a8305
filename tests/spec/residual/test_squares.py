"""R⁻¹ as a sum of squares, of every structure, against R element by element."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bayeslmm.spec.residual import CorrelationStructure, Structured, VarianceFunction
from bayeslmm.spec.residual.examples import of
from bayeslmm.spec.residual.precision import Precision
from bayeslmm.spec.residual.squares import WIDEST

KINDS = [(name, "Ident") for name in CorrelationStructure.kinds()]
KINDS += [("AR1", name) for name in VarianceFunction.kinds()]
STEP = 1e-6


def made(correlation: str, variance: str, seed: int = 0, n: int = 14) -> tuple[Structured, np.ndarray]:
    rng = np.random.default_rng(seed)
    residual = of(Structured, correlation, variance, n, rng)
    weights = {"weights": rng.uniform(0.3, 3.0, n)}
    residual = replace(residual, data=residual.data | weights)
    return residual, residual.start + 0.3 * rng.standard_normal(residual.n_phi)


def precision_of(residual: Structured) -> Precision:
    assert residual.precision is not None
    return residual.precision


def summed(precision: Precision, coefficients: np.ndarray) -> np.ndarray:
    matrix, first = precision.combinations
    return matrix.T @ (np.repeat(coefficients, np.diff(first))[:, None] * matrix.toarray())


@settings(deadline=None, max_examples=40)
@given(st.sampled_from(KINDS), st.integers(0, 1000))
def test_squares_add_up_to_the_inverse(kind: tuple[str, str], seed: int) -> None:
    residual, phi = made(*kind, seed=seed)
    at = precision_of(residual).at(phi)
    root = residual.whiten(np.eye(residual.n), phi)
    inverse = root.T @ root
    close = {"rtol": 1e-9, "atol": 1e-12 * np.abs(inverse).max()}
    np.testing.assert_allclose(summed(at.precision, at.coefficients), inverse, **close)
    np.testing.assert_allclose(at.log_det, residual.log_det(phi), rtol=1e-11, atol=1e-11)


@pytest.mark.parametrize("kind", KINDS)
def test_pulling_back_coefficients_and_the_determinant(kind: tuple[str, str]) -> None:
    residual, phi = made(*kind)
    precision = precision_of(residual)
    bar = np.random.default_rng(1).standard_normal(precision.n_classes)

    def value(phi: np.ndarray) -> float:
        at = precision.at(phi)
        return float(bar @ at.coefficients) + 0.7 * at.log_det

    found = precision.at(phi).pull(bar, 0.7)
    steps = STEP * np.eye(len(phi))
    expected = [(value(phi + e) - value(phi - e)) / (2 * STEP) for e in steps]
    np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-6 * np.abs(found).max())


def test_alike_rows_of_one_kind_ask_for_sums_alone() -> None:
    groups = np.repeat([0.0, 1.0, 2.0], [4, 5, 5])
    residual, _ = made("CompoundSymmetry", "Fixed")
    data = {"group": groups, "stratum": np.zeros(14), "values 0": np.ones(14), "stratum 0": np.zeros(14)}
    residual = replace(residual, data=data)
    precision = precision_of(residual)
    assert precision.n_classes == 3  # rows; groups of 4 and of 5
    phi = residual.start + 0.2
    root = residual.whiten(np.eye(14), phi)
    at = precision.at(phi)
    np.testing.assert_allclose(summed(precision, at.coefficients), root.T @ root, rtol=1e-12, atol=1e-14)


def test_expected_information_is_that_of_traces() -> None:
    residual, phi = made("Unstructured", "Ident", n=30)
    found = precision_of(residual).at(phi).information(sigma_free=True)

    def dense(phi: np.ndarray) -> np.ndarray:
        root = residual.unwhiten(np.eye(residual.n), phi)
        return root @ root.T

    steps = STEP * np.eye(len(phi))
    moves = [np.linalg.solve(dense(phi), dense(phi + e) - dense(phi - e)) / (2 * STEP) for e in steps]
    traces = np.array([np.trace(each) for each in moves])
    products = np.array([[np.sum(a * b.T) for a in moves] for b in moves])
    expected = products - np.outer(traces, traces) / residual.n
    np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-5)


def test_wide_groups_are_whitened() -> None:
    rng = np.random.default_rng(3)
    residual = of(Structured, "Gaussian", "Fixed", 3 * WIDEST + 9, rng)
    assert residual.precision is None


def test_strain_is_the_largest_element_of_the_inverse_correlation() -> None:
    residual, phi = made("Unstructured", "Fixed")
    root = residual.whiten(np.eye(14), phi) * np.sqrt(residual.variances(phi))
    assert precision_of(residual).at(phi).strain == pytest.approx(np.max(root.T @ root), rel=1e-9)


@pytest.mark.parametrize("kind", KINDS)
def test_many_phi_are_those_of_each(kind: tuple[str, str]) -> None:
    residual, phi = made(*kind)
    precision = precision_of(residual)
    phis = phi + 0.1 * np.random.default_rng(2).standard_normal((3, len(phi)))
    found = precision.many(phis)
    for own, *many in zip(phis, *found, strict=True):
        at = precision.at(own)
        for one, other in zip((at.coefficients, at.log_det, at.strain), many, strict=True):
            np.testing.assert_allclose(other, one, rtol=1e-10, atol=1e-12)


def test_no_correlation_matrix_has_no_squares() -> None:
    squares = precision_of(made("Unstructured", "Ident")[0]).squares
    rho, roots = np.full((2, len(squares.unique.places)), -0.9), np.ones((2, squares.n_classes))
    rho[0] = 0.1
    coefficients, log_dets, strains = squares.many(rho, roots)
    assert np.isfinite(coefficients[0]).all() and np.isfinite(log_dets[0]) and strains[0] < 10
    assert np.isnan(coefficients[1]).all() and np.isnan(log_dets[1]) and np.isinf(strains[1])

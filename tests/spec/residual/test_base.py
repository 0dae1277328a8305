"""Laws of every residual structure that registers itself, against its dense R."""

import pickle
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_array

from bayeslmm.errors import OptionError
from bayeslmm.spec import residual as folder
from bayeslmm.spec.residual import PriorWeights, Residual
from tests.residuals import RESIDUALS

CLOSE = {"rtol": 1e-12, "atol": 1e-12}


def test_the_folder_is_walked() -> None:
    assert Residual.kinds()["weights"] is PriorWeights
    assert all(kind.__module__.startswith(folder.__name__) for kind in Residual.kinds().values())


@st.composite
def residuals(draw: st.DrawFn) -> tuple[Residual, np.ndarray]:
    """An example of any structure, and a φ near its start."""
    kind = draw(st.sampled_from([*Residual.kinds().values(), *RESIDUALS.values()]))
    rng = np.random.default_rng(draw(st.integers(0, 1000)))
    made = kind.example(draw(st.integers(1, 12)), rng, draw(st.sampled_from([None, 2.5])))
    return made, made.start + 0.2 * rng.standard_normal(made.n_phi)


def dense(made: Residual, phi: np.ndarray) -> np.ndarray:
    root = made.unwhiten(np.eye(made.n), phi)
    return root @ root.T


@settings(deadline=None, max_examples=40)
@given(residuals())
def test_elements_are_those_of_dense_R(case: tuple[Residual, np.ndarray]) -> None:
    made, phi = case
    i, j = (each.ravel() for each in np.indices((made.n, made.n)))
    values, by_phi = made.elements(i, j, phi)
    np.testing.assert_allclose(values, dense(made, phi).ravel(), rtol=1e-10, atol=1e-12)
    for slope, step in zip(by_phi, 1e-6 * np.eye(made.n_phi), strict=True):
        expected = (dense(made, phi + step) - dense(made, phi - step)).ravel() / 2e-6
        np.testing.assert_allclose(slope, expected, rtol=1e-6, atol=1e-7)


@settings(deadline=None, max_examples=40)
@given(residuals())
def test_transposes(case: tuple[Residual, np.ndarray]) -> None:
    made, phi = case
    unit = np.eye(made.n)
    np.testing.assert_allclose(made.untransposed(unit, phi), made.unwhiten(unit, phi).T, **CLOSE)
    np.testing.assert_allclose(made.transposed(unit, phi), made.whiten(unit, phi).T, **CLOSE)


@settings(deadline=None, max_examples=40)
@given(residuals(), st.integers(0, 3))
def test_whitening_is_undone(case: tuple[Residual, np.ndarray], width: int) -> None:
    made, phi = case
    for shape in [(made.n,), (made.n, width), (made.n, 2, width)]:
        rows = np.random.default_rng(1).standard_normal(shape)
        np.testing.assert_allclose(made.unwhiten(made.whiten(rows, phi), phi), rows, **CLOSE)
        np.testing.assert_allclose(made.whiten(made.unwhiten(rows, phi), phi), rows, **CLOSE)


@settings(deadline=None, max_examples=40)
@given(residuals())
def test_sparse_rows_are_whitened_as_dense_ones(case: tuple[Residual, np.ndarray]) -> None:
    made, phi = case
    rows = np.random.default_rng(1).standard_normal((made.n, 3)) * (np.arange(3) > 0)
    found = made.whiten(csr_array(rows), phi)
    assert isinstance(found, csr_array)
    np.testing.assert_allclose(found.toarray(), made.whiten(rows, phi), **CLOSE)


@settings(deadline=None, max_examples=40)
@given(residuals())
def test_determinant_pivots_and_variances_are_those_of_dense_R(case: tuple[Residual, np.ndarray]) -> None:
    made, phi = case
    R = dense(made, phi)
    np.testing.assert_allclose(made.log_det(phi), np.linalg.slogdet(R)[1], **CLOSE)
    np.testing.assert_allclose(made.variances(phi), np.diag(R), **CLOSE)
    in_order = np.linalg.cholesky(R[np.ix_(made.order, made.order)])
    np.testing.assert_allclose(made.log_pivots(phi)[made.order], 2 * np.log(np.diag(in_order)), **CLOSE)


@settings(deadline=None, max_examples=40)
@given(residuals())
def test_pulling_back_is_the_transpose_of_whitening_s_derivative(case: tuple[Residual, np.ndarray]) -> None:
    made, phi = case
    rng = np.random.default_rng(2)
    rows, bar = rng.standard_normal((made.n, 3)), rng.standard_normal((made.n, 3))

    def by_difference(function: Callable[[np.ndarray], float]) -> list[float]:
        steps = 1e-6 * np.eye(made.n_phi)
        return [(function(phi + step) - function(phi - step)) / 2e-6 for step in steps]

    def whitened(phi: np.ndarray) -> float:
        return float(np.sum(bar * made.whiten(rows, phi)))

    near = {"rtol": 1e-6, "atol": 1e-6}
    np.testing.assert_allclose(made.pull(rows, bar, phi), by_difference(whitened), **near)
    np.testing.assert_allclose(made.log_det_gradient(phi), by_difference(made.log_det), **near)
    sparse = csr_array(rows * (rng.random(rows.shape) < 0.4))
    stored = made.spread(sparse).astype(bool).toarray()
    assert not made.whiten(sparse, phi).toarray()[~stored].any()
    np.testing.assert_allclose(
        made.pull(sparse, csr_array(bar * stored), phi), made.pull(sparse.toarray(), bar, phi), **near
    )


@settings(deadline=None, max_examples=40)
@given(residuals())
def test_draws_have_the_covariance(case: tuple[Residual, np.ndarray]) -> None:
    made, phi = case
    z = np.random.default_rng(3).standard_normal((5, made.n))
    drawn = made.draw(np.random.default_rng(3), 5, phi)
    np.testing.assert_allclose(drawn, made.unwhiten(z.T, phi).T, **CLOSE)  # Var(R^½z) = R


@settings(deadline=None, max_examples=40)
@given(residuals())
def test_pickled_and_taken_apart_it_is_the_same(case: tuple[Residual, np.ndarray]) -> None:
    made, phi = case
    again = pickle.loads(pickle.dumps(made))
    assert (type(again), again.n, again.sigma) == (type(made), made.n, made.sigma)
    all_rows = made.take(np.arange(made.n))
    for other in (again, all_rows, made.of_rows(made.n, made.data)):
        np.testing.assert_array_equal(dense(other, phi), dense(made, phi))
        assert other.sigma == made.sigma


@settings(deadline=None, max_examples=40)
@given(residuals())
def test_a_wrong_phi_is_refused(case: tuple[Residual, np.ndarray]) -> None:
    made, phi = case
    with pytest.raises(OptionError, match=f"phi has {made.n_phi + 1} values"):
        made.variances(np.append(phi, 0.0))

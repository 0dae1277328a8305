"""Every correlation structure and variance function that registers itself, against R element by element."""

import numpy as np
import pytest

from bayeslmm.errors import OptionError
from bayeslmm.spec.residual import CorrelationStructure, Structured, VarianceFunction
from bayeslmm.spec.residual.examples import of
from bayeslmm.spec.residual.roots.patterns import DEFINITE, Factor
from bayeslmm.spec.residual.structure import slopes

CORRELATIONS = list(CorrelationStructure.kinds())
VARIANCES = list(VarianceFunction.kinds())


def made(correlation: str, variance: str = "Power", n: int = 14) -> tuple[Structured, np.ndarray]:
    rng = np.random.default_rng(5)
    residual = of(Structured, correlation, variance, n, rng)
    return residual, residual.start + 0.3 * rng.standard_normal(residual.n_phi)


@pytest.mark.parametrize("variance", VARIANCES)
@pytest.mark.parametrize("correlation", CORRELATIONS)
def test_the_root_is_that_of_R_element_by_element(correlation: str, variance: str) -> None:
    """Roots go by neighbours, sums and patterns; the covariance of two rows by their place alone."""
    residual, phi = made(correlation, variance)
    root = residual.unwhiten(np.eye(residual.n), phi)
    element = residual.covariance(residual, phi).toarray()
    np.fill_diagonal(element, residual.variances(phi))
    np.testing.assert_allclose(root @ root.T, element, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("correlation", CORRELATIONS)
def test_pulling_back_every_correlation(correlation: str) -> None:
    residual, phi = made(correlation)
    rng = np.random.default_rng(0)
    rows, bar = rng.standard_normal((2, residual.n, 3))
    steps = 1e-6 * np.eye(len(phi))

    def value(phi: np.ndarray) -> float:
        return float(np.sum(bar * residual.whiten(rows, phi)) + residual.log_det(phi))

    found = residual.pull(rows, bar, phi) + residual.log_det_gradient(phi)
    expected = [(value(phi + e) - value(phi - e)) / 2e-6 for e in steps]
    np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("kind", [*CORRELATIONS, *VARIANCES])
def test_natural_values_lead_back_to_phi(kind: str) -> None:
    residual, phi = made(kind, "Power") if kind in CORRELATIONS else made("AR1", kind)
    part = residual.parts[0 if kind in CORRELATIONS else 1]
    own = part.by_stratum(phi[: part.n] if kind in CORRELATIONS else phi[residual.parts[0].n :])[0]
    natural = part.structure.natural(own, part.learnt)
    np.testing.assert_allclose(part.structure.free(natural, part.learnt), own, rtol=1e-9, atol=1e-11)
    low, high = part.own.bounds.T
    assert np.all((low < natural) & (natural < high))


@pytest.mark.parametrize("size", [5.0, 40.0, 400.0])
@pytest.mark.parametrize("kind", [*CORRELATIONS, *VARIANCES])
def test_far_out_there_are_numbers_or_none_but_no_exception(kind: str, size: float) -> None:
    residual, phi = made(kind, "Power") if kind in CORRELATIONS else made("AR1", kind)
    signs = np.sign(np.random.default_rng(2).standard_normal(len(phi)))
    with np.errstate(all="ignore"):
        for far in (size * np.ones_like(phi), size * signs, -size * signs):
            assert residual.whiten(np.ones((residual.n, 1)), far).shape == (residual.n, 1)


def test_labels_values_and_slopes() -> None:
    residual, phi = made("AR1", "Ident")
    found = residual.parameters(phi, 2.0)
    assert found.labels[:2] == ("phi[AR1 | one]", "phi[AR1 | two]")
    assert found.labels[2:] == tuple(f"sd[value: {level}]" for level in "abcde")
    np.testing.assert_allclose(found.values, [*np.tanh(phi[:2]), 2.0, *2 * np.exp(phi[2:])])
    by_phi = [residual.parameters(phi + e, 2.0).values for e in 1e-7 * np.eye(len(phi))]
    np.testing.assert_allclose(found.slopes[:, :-1], (np.array(by_phi) - found.values).T / 1e-7, atol=1e-5)
    by_sigma = (residual.parameters(phi, 2.0 * np.exp(1e-7)).values - found.values) / 1e-7
    np.testing.assert_allclose(found.slopes[:, -1], by_sigma, atol=1e-5)


def test_a_settled_residual_needs_no_phi() -> None:
    residual, phi = made("CAR1", "Exp")
    settled, rows = residual.settle(phi), np.eye(residual.n)
    np.testing.assert_array_equal(settled.whiten(rows), residual.whiten(rows, phi))
    np.testing.assert_array_equal(settled.start, phi)
    with pytest.raises(OptionError, match="phi has 0 values"):
        residual.whiten(rows)


@pytest.mark.parametrize("base", [-0.9, 0.0, 0.999])
def test_whole_powers_are_differentiated_exactly(base: float) -> None:
    from bayeslmm.spec.residual.correlations.ar1 import whole_power

    steps = np.array([0.0, 1.0, 2.0, 3.0, 150.0, 301.0])
    (found,) = slopes(lambda b: whole_power(b[0], steps), np.array([base]), len(steps))
    expected = [0.0, *(k * base ** (k - 1) for k in steps[1:])]
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-300)


@pytest.mark.parametrize("nugget", [1e-2, 1e-6, 1e-7, 1e-10, 1e-12])
def test_a_root_of_patterns_has_its_digits_or_is_none(nugget: float) -> None:
    """The density of rows nearly alike against its closed form: C = (1 − ν)11ᵀ + νI."""
    m = 6
    z = np.random.default_rng(1).standard_normal(m)
    found = Factor.of((1 - nugget) * np.ones((1, m, m)) + nugget * np.eye(m))
    apart, alike = np.sum((z - z.mean()) ** 2) / nugget, z.sum() ** 2 / m / (m * (1 - nugget) + nugget)
    quadratic = np.sum((found.inverse[0] @ z) ** 2)
    if nugget >= 2 * DEFINITE:
        assert quadratic == pytest.approx(apart + alike, rel=1e-7)
    else:
        assert np.isnan(quadratic)

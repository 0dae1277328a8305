"""Log densities against scipy's, and the families' refusals."""

import math

import numpy as np
import pytest
from scipy import integrate, stats

from bayeslmm.errors import PriorError
from bayeslmm.spec.priors import (
    LKJ,
    Exponential,
    Flat,
    Gamma,
    HalfCauchy,
    HalfNormal,
    HalfStudentT,
    InverseGamma,
    Laplace,
    LogNormal,
    Normal,
    PenalizedComplexity,
    Prior,
    StudentT,
    TruncatedNormal,
    Uniform,
)

X = np.array([-3.0, -0.5, 0.0, 0.3, 2.0, 150.0])

PAIRS = [
    (Normal(1.0, 2.5), stats.norm(1.0, 2.5)),
    (StudentT(4, 1.0, 2.5), stats.t(4, 1.0, 2.5)),
    (Laplace(1.0, 2.5), stats.laplace(1.0, 2.5)),
    (HalfNormal(48.9), stats.halfnorm(scale=48.9)),
    (Exponential(7.0), stats.expon(scale=7.0)),
    (Gamma(2.0, 0.1), stats.gamma(2.0, scale=10.0)),
    (Gamma(1.0, 0.1), stats.gamma(1.0, scale=10.0)),
    (HalfCauchy(7.0), stats.halfcauchy(scale=7.0)),
    (InverseGamma(2.5, 7.0), stats.invgamma(2.5, scale=7.0)),
    (LogNormal(1.0, 0.5), stats.lognorm(0.5, scale=np.e)),
    (Uniform(-1.0, 2.0), stats.uniform(-1.0, 3.0)),
    (TruncatedNormal(1.0, 2.0), stats.truncnorm(-0.5, np.inf, 1.0, 2.0)),
    (TruncatedNormal(-9.0, 2.0), stats.truncnorm(4.5, np.inf, -9.0, 2.0)),
    (TruncatedNormal(1.0, 2.0, -0.5, 2.0), stats.truncnorm(-0.75, 0.5, 1.0, 2.0)),
    (TruncatedNormal(1.0, 2.0, -math.inf, 2.0), stats.truncnorm(-np.inf, 0.5, 1.0, 2.0)),
    (PenalizedComplexity(10.0, 0.05), stats.expon(scale=-10 / np.log(0.05))),
]


@pytest.mark.parametrize(("prior", "expected"), PAIRS, ids=lambda value: type(value).__name__)
def test_logpdf_is_scipys(prior: Prior, expected: stats.rv_continuous) -> None:
    np.testing.assert_allclose(prior.logpdf(X), expected.logpdf(X), rtol=1e-13)


def test_half_t_is_a_folded_t() -> None:
    prior = HalfStudentT(4, 56.2)
    np.testing.assert_allclose(prior.logpdf(X[X >= 0]), np.log(2) + stats.t(4, 0, 56.2).logpdf(X[X >= 0]))
    assert (prior.logpdf(X[X < 0]) == -np.inf).all()


def test_gamma_at_zero() -> None:
    assert Gamma(2.0, 1.0).logpdf(0.0) == -np.inf
    assert Gamma(0.5, 1.0).logpdf(0.0) == np.inf
    assert Gamma(1.0, 3.0).logpdf(0.0) == pytest.approx(np.log(3.0))


def test_flat_is_one() -> None:
    np.testing.assert_array_equal(Flat().logpdf(X), 0)


def test_penalized_complexity_has_its_tail() -> None:
    prior = PenalizedComplexity(10.0, 0.05)
    tail, _ = integrate.quad(lambda x: np.exp(prior.logpdf(x)), 10.0, np.inf)
    assert tail == pytest.approx(0.05, rel=1e-8)


def correlation(a: float, b: float = 0.0, c: float = 0.0) -> np.ndarray:
    return np.array([[1, a, b], [a, 1, c], [b, c, 1]])


@pytest.mark.parametrize("eta", [0.7, 1.0, 2.0, 5.0])
def test_lkj_of_two_is_a_stretched_beta(eta: float) -> None:
    r = np.array([-0.99, -0.3, 0.0, 0.5, 0.9])
    ours = [LKJ(eta).logpdf(correlation(value)[:2, :2]) for value in r]
    np.testing.assert_allclose(ours, stats.beta(eta, eta, loc=-1, scale=2).logpdf(r), rtol=1e-12)


@pytest.mark.parametrize("eta", [1.0, 2.0])
def test_lkj_of_three_integrates_to_one(eta: float) -> None:
    nodes, weights = np.polynomial.legendre.leggauss(24)
    a, b, p = np.meshgrid(nodes, nodes, nodes, indexing="ij")
    spread = np.sqrt((1 - a**2) * (1 - b**2))
    R = np.moveaxis(
        np.array([[a**0, a, b], [a, a**0, a * b + p * spread], [b, a * b + p * spread, a**0]]),
        (0, 1),
        (-2, -1),
    )
    w = np.einsum("i,j,k->ijk", weights, weights, weights)
    total = np.sum(w * spread * np.exp(LKJ(eta).logpdf(R)))
    assert total == pytest.approx(1.0, rel=2e-3)


def test_lkj_outside_the_correlation_matrices() -> None:
    assert LKJ(2.0).logpdf(correlation(0.9, 0.9, -0.9)) == -np.inf
    assert LKJ(2.0).logpdf(correlation(1.2)) == -np.inf


def test_lkj_of_one_is_constant() -> None:
    assert LKJ(2.0).logpdf(np.ones((1, 1))) == 0.0


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: HalfNormal(0.0), "scale is 0.0; it must be a positive number"),
        (lambda: Normal(np.nan, 1.0), "mean is nan; it must be a finite number"),
        (lambda: LKJ(-1.0), "eta is -1.0"),
        (lambda: PenalizedComplexity(1.0, 1.0), "probability below 1"),
        (lambda: Uniform(1.0, 1.0), "upper is 1.0; it must be above lower, 1.0"),
        (lambda: Uniform(0.0, math.inf), "upper is inf; it must be a finite number"),
        (lambda: TruncatedNormal(0.0, 1.0, 2.0, 1.0), "upper is 1.0; it must be above lower"),
        (lambda: TruncatedNormal(-1e149, 1e-10), "no mass between lower and upper"),
    ],
)
def test_bad_parameters(make: type, message: str) -> None:
    with pytest.raises(PriorError, match=message):
        make()


def test_printed_briefly() -> None:
    assert str(HalfNormal(48.89151)) == "HalfNormal(scale=48.89)"
    assert str(Flat()) == "Flat"


@pytest.mark.parametrize("middle", [-30.0, -1.3, 0.0, 0.8, 25.0])
@pytest.mark.parametrize("width", [2e-12, 1e-7, 1e-3, 0.4, 3.0, 20.0])
def test_a_truncated_normal_between_near_bounds(middle: float, width: float) -> None:
    """Its mass is that of its halves, and density times width where there is next to none."""
    low, high = middle - width / 2, middle + width / 2
    whole, *halves = (
        float(Normal(0.0, 1.0).logpdf(x) - TruncatedNormal(0.0, 1.0, a, b).logpdf(x))
        for a, b, x in ((low, high, middle), (low, middle, middle), (middle, high, middle))
    )
    assert whole == pytest.approx(np.logaddexp(*halves), rel=1e-10, abs=1e-10)
    if width < 1e-6:
        assert whole == pytest.approx(float(Normal(0.0, 1.0).logpdf(middle)) + np.log(high - low), rel=1e-11)

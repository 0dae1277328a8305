"""The laws of sums of squares, and the power of the F test."""

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import chi2, f, kstest, ncx2

import bayeslmm as bl
from bayeslmm.errors import DataError, OptionError
from tests.textbook.layouts import UNEQUAL, random_layout, simulated_sums


@pytest.mark.parametrize("sizes", [[4, 4, 4], UNEQUAL, [1, 9]])
def test_moments_are_those_of_quadratic_forms(sizes):
    layout = random_layout(sizes)
    V = layout.matrices(2.0, 3.0).V
    laws = bl.textbook.law_of_SSA(sizes, 2.0, 3.0), bl.textbook.law_of_SSE(sizes, 3.0)
    for law, form in zip(laws, bl.textbook.quadratic_forms(layout), strict=True):
        assert law.mean == pytest.approx(np.trace(form @ V), rel=1e-10)
        assert law.variance == pytest.approx(2 * np.trace(form @ V @ form @ V), rel=1e-10)


def test_simulated_sums_of_squares_follow_their_laws():
    laws = bl.textbook.law_of_SSA(UNEQUAL, 2.0, 1.0), bl.textbook.law_of_SSE(UNEQUAL, 1.0)
    for law, draws in zip(laws, simulated_sums(random_layout(UNEQUAL), 5000, ratio=2.0), strict=True):
        assert kstest(draws, lambda x, law=law: 1 - law.survival(x)).pvalue > 0.01


@pytest.mark.parametrize("x", [1e-3, 0.5, 7.0, 60.0])
def test_a_sum_of_two_is_their_convolution(x):
    law = bl.textbook.ChiSquares(np.array([1.0, 3.0]), np.array([2.0, 5.0]))
    beyond = chi2.sf(x / 3, 5)
    inside = quad(lambda t: chi2.pdf(t / 3, 5) / 3 * chi2.sf(x - t, 2), 0, x, epsabs=1e-14, epsrel=1e-12)[0]
    assert law.survival(x) == pytest.approx(beyond + inside, rel=1e-9)


@pytest.mark.parametrize("sizes", [[5] * 6, [10] * 3, [2] * 15])
def test_balanced_power_is_an_F_probability(sizes):
    k, n = len(sizes), sizes[0]
    ratios = np.array([0.0, 0.1, 1.0, 10.0])
    quantile = f.isf(0.01, k - 1, k * (n - 1))
    expected = f.sf(quantile / (1 + n * ratios), k - 1, k * (n - 1))
    np.testing.assert_allclose(bl.textbook.f_test_power(ratios, sizes, 0.01), expected, rtol=1e-12)


@pytest.mark.parametrize("sizes", [UNEQUAL, [1, 500, 500, 30], [1, 1, 2]])
def test_power_begins_at_alpha_and_rises(sizes):
    powers = bl.textbook.f_test_power([0.0, 1e-3, 0.1, 1.0, 100.0], sizes)
    assert powers[0] == pytest.approx(0.05, rel=1e-12)
    assert np.all(np.diff(powers) > 0)


def test_unbalanced_power_is_the_share_of_rejections():
    layout = random_layout(UNEQUAL)
    SSA, SSE = simulated_sums(layout, 20_000, ratio=1.5)
    F = SSA / layout.df_A / (SSE / layout.df_E)
    power = float(bl.textbook.f_test_power(1.5, UNEQUAL))
    rejected = np.mean(f.isf(0.05, layout.df_A, layout.df_E) < F)
    assert rejected == pytest.approx(power, abs=3 * np.sqrt(power * (1 - power) / 20_000))


def test_random_effects_are_no_fixed_ones():
    """Given the effects SSA is noncentral χ²; over effects it is scaled central χ²: the mean of the first."""
    rng = np.random.default_rng(1)
    effects = rng.normal(size=(20_000, 4))
    noncentral = 5 * np.var(effects, axis=1, ddof=0) * 4
    assert np.mean(ncx2.sf(12.0, 3, noncentral)) == pytest.approx(
        bl.textbook.law_of_SSA([5] * 4, 1.0, 1.0).survival(12.0), abs=0.01
    )


@pytest.mark.parametrize("sizes", [[5], [1, 1], [2.5, 2], [0, 3]])
def test_bad_sizes_are_refused(sizes):
    with pytest.raises(DataError, match="whole numbers"):
        bl.textbook.f_test_power(1.0, sizes)


def test_bad_levels_and_ratios_are_refused():
    with pytest.raises(OptionError, match=r"alpha is 5; it lies between 0 and 1"):
        bl.textbook.f_test_power(1.0, [3, 3], alpha=5)
    with pytest.raises(OptionError, match="is -1; a variance"):
        bl.textbook.f_test_power(-1.0, [3, 3])

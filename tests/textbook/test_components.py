"""Variance components of the one-way model: the engine's, and the likelihood's own maximum."""

import numpy as np
import pytest
from scipy.stats import f

import bayeslmm as bl
from bayeslmm.errors import OptionError
from tests.textbook.layouts import UNEQUAL, fitted, random_layout, simulated_sums, variances

ESTIMATES = {"ML": bl.textbook.ml_estimates, "REML": bl.textbook.reml_estimates}
DATASETS = {
    "Dyestuff": ("Yield", "Batch"),
    "Dyestuff2": ("Yield", "Batch"),
    "Dyestuff_unbal": ("Yield", "Batch"),
    "Rail": ("travel", "Rail"),
}


def layout_of(name):
    data = bl.load_dataset(name)
    response, group = DATASETS[name]
    return bl.textbook.one_way(data[response], data[group])


@pytest.mark.parametrize("criterion", ESTIMATES)
@pytest.mark.parametrize("name", DATASETS)
def test_estimates_are_the_engines(name, criterion):
    response, group = DATASETS[name]
    fit = fitted(f"{response} ~ 1 + (1 | {group})", bl.load_dataset(name), criterion)
    found = ESTIMATES[criterion](layout_of(name))
    assert variances(fit)[group] == pytest.approx(found.var_A, rel=1e-8, abs=1e-12)
    assert variances(fit)["Residual"] == pytest.approx(found.var_E, rel=1e-8)
    at_found = bl.textbook.profile(layout_of(name), found.theta**2, criterion)
    assert at_found.deviance == pytest.approx(fit.criterion_value, abs=1e-8)
    assert at_found.mu == pytest.approx(fit.beta_values[0], rel=1e-10)


@pytest.mark.parametrize("criterion", ESTIMATES)
@pytest.mark.parametrize("sizes", [[3, 3, 3, 3], UNEQUAL])
@pytest.mark.parametrize("ratio", [0.0, 0.7, 30.0])
def test_the_first_step_is_the_likelihood_with_V_written_out(sizes, ratio, criterion):
    layout = random_layout(sizes)
    found = bl.textbook.profile(layout, ratio, criterion)
    X, _, V = layout.matrices(ratio * found.var_E, found.var_E)
    likelihood = {"ML": bl.textbook.log_likelihood, "REML": bl.textbook.restricted_log_likelihood}[criterion]
    assert found.deviance == pytest.approx(-2 * likelihood(layout.y, X, V), rel=1e-12)
    for other in (0.99, 1.01):
        assert -2 * likelihood(layout.y, X, other * V) > found.deviance


@pytest.mark.parametrize("criterion", ESTIMATES)
@pytest.mark.parametrize("seed", range(6))
def test_no_ratio_is_better_than_the_second_steps(seed, criterion):
    layout = random_layout(UNEQUAL, seed, ratio=0.3)
    best = bl.textbook.profile(layout, ESTIMATES[criterion](layout).theta ** 2, criterion).deviance
    ratios = np.append(0.0, np.geomspace(1e-4, 1e4, 400))
    assert min(bl.textbook.profile(layout, ratio, criterion).deviance for ratio in ratios) >= best - 1e-10


@pytest.mark.parametrize("criterion", ESTIMATES)
@pytest.mark.parametrize("ratio", [0.0, 4.0])
def test_balanced_and_unbalanced_ways_meet(ratio, criterion):
    """Closed forms of balanced data are roots of the score that unbalanced ones need, or 0."""
    from bayeslmm.textbook.components import _unbalanced

    layout = random_layout([4, 4, 4, 4, 4], seed=3, ratio=ratio)
    closed, iterated = ESTIMATES[criterion](layout), _unbalanced(layout, criterion)
    assert (iterated.var_A, iterated.var_E) == pytest.approx((closed.var_A, closed.var_E), rel=1e-10)


def test_anova_estimates_are_unbiased_and_may_be_negative():
    layout = random_layout(UNEQUAL)
    SSA, SSE = simulated_sums(layout, 20_000, ratio=0.5)
    draws = (SSA / layout.df_A - SSE / layout.df_E) / layout.n0
    assert np.mean(draws) == pytest.approx(0.5, abs=4 * np.std(draws) / np.sqrt(len(draws)))
    one = bl.textbook.anova_estimates(layout)
    assert one.var_A == (layout.MSA - layout.MSE) / layout.n0
    assert min(draws) < 0


@pytest.mark.slow
def test_the_interval_covers():
    """4,000 unbalanced data sets; three standard errors of the share are 0.010."""
    layouts = (random_layout([2, 5, 3, 4], seed) for seed in range(4000))
    inside = [lower < 0.5 < upper for lower, upper in map(bl.textbook.icc_interval, layouts)]
    assert np.mean(inside) == pytest.approx(0.95, abs=0.0104)


@pytest.mark.parametrize("sizes", [[4, 4, 4], UNEQUAL])
def test_the_interval_ends_where_the_weighted_mean_square_meets_its_quantiles(sizes):
    """With V₀ = I + λZZᵀ the pivot is the rise of the weighted residual sum of squares over SSE."""
    layout = random_layout(sizes, seed=0, ratio=5.0)
    for limit, tail in zip(bl.textbook.icc_interval(layout, 0.9), (0.95, 0.05), strict=True):
        X, _, V = layout.matrices(1.0, 1.0)
        V = np.eye(layout.N) + limit / (1 - limit) * (V - np.eye(layout.N))
        rss = bl.textbook.generalized_least_squares(layout.y, X, V).rss
        pivot = (rss - layout.SSE) / layout.df_A / layout.MSE
        assert f.cdf(pivot, layout.df_A, layout.df_E) == pytest.approx(tail, rel=1e-8)


def test_an_interval_may_end_at_the_least_correlation():
    """One largest group: the weighted mean square stays finite at λ = −1/max nᵢ."""
    layout = bl.textbook.one_way([1, -1, 2, -2, 0.1, 0.0], [0, 0, 0, 0, 1, 1])
    lower, upper = bl.textbook.icc_interval(layout)
    assert lower == pytest.approx(-1 / 3)
    assert lower < upper


@pytest.mark.parametrize(
    ("ratio", "criterion", "message"), [(-1.0, "ML", "ratio is -1"), (1.0, "reml", "did you mean 'REML'")]
)
def test_bad_profiles_are_refused(ratio, criterion, message):
    with pytest.raises(OptionError, match=message):
        bl.textbook.profile(random_layout([3, 3]), ratio, criterion)

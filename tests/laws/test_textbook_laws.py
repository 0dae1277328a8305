"""Laws of the closed forms, on layouts and models drawn at random; BAYESLMM_LAW_EXAMPLES says how many."""

import os

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import bayeslmm as bl

LAW = settings(
    max_examples=int(os.environ.get("BAYESLMM_LAW_EXAMPLES", "15")),
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow],
)
ESTIMATES = {"ML": bl.textbook.ml_estimates, "REML": bl.textbook.reml_estimates}
CRITERIA = pytest.mark.parametrize("criterion", ["ML", "REML"])


@st.composite
def layouts(draw, balanced=False, sds=(0.0, 0.3, 1.0, 20.0)):
    """Two to eight groups of one to seven rows."""
    k = draw(st.integers(2, 8))
    one_size = st.integers(2, 7).map(lambda n: [n] * k)
    any_size = st.lists(st.integers(1, 7), min_size=k, max_size=k).filter(lambda sizes: max(sizes) > 1)
    group = np.repeat(np.arange(k), draw(one_size if balanced else any_size))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    effects = draw(st.sampled_from(sds)) * rng.normal(size=k)
    return bl.textbook.one_way(effects[group] + rng.normal(size=len(group)), group)


@st.composite
def models(draw):
    n, p, q = draw(st.integers(6, 15)), draw(st.integers(1, 4)), draw(st.integers(1, 6))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    roots = (rng.normal(size=(size, size + 3)) for size in (q, n))
    G, R = (root @ root.T for root in roots)
    return bl.textbook.mixed_model(rng.normal(size=n), rng.normal(size=(n, p)), rng.normal(size=(n, q)), G, R)


@CRITERIA
@LAW
@given(layout=layouts())
def test_the_two_steps_are_the_likelihood_and_its_maximum(layout, criterion):
    found = ESTIMATES[criterion](layout)
    likelihood = {"ML": bl.textbook.log_likelihood, "REML": bl.textbook.restricted_log_likelihood}[criterion]
    X, _, V = layout.matrices(found.var_A, found.var_E)
    best = likelihood(layout.y, X, V)
    deviance = bl.textbook.profile(layout, found.theta**2, criterion).deviance
    assert deviance == pytest.approx(-2 * best, rel=1e-9, abs=1e-8)
    for factor in (0.5, 0.97, 1.03, 2.0):
        for var_A, var_E in ((factor * found.var_A, found.var_E), (found.var_A, factor * found.var_E)):
            other = layout.matrices(var_A + (factor > 1) * 1e-3 * found.var_E, var_E).V
            assert likelihood(layout.y, X, other) <= best + 1e-9


@CRITERIA
@LAW
@given(layout=layouts(sds=(0.0, 0.1, 1.0, 1e6)))
def test_no_other_ratio_is_better(layout, criterion):
    ratio = ESTIMATES[criterion](layout).theta ** 2
    others = np.append(np.geomspace(0.01, 100, 9) * ratio, [0.0, 1e-3, 1.0, 1e9])
    deviances = [bl.textbook.profile(layout, other, criterion).deviance for other in others]
    assert min(deviances) >= bl.textbook.profile(layout, ratio, criterion).deviance - 1e-9


@CRITERIA
@LAW
@given(layout=layouts(), shift=st.floats(-1e3, 1e3), scale=st.sampled_from([1e-6, 0.5, 3.0, 1e5]))
def test_units_and_origins(layout, shift, scale, criterion):
    moved = bl.textbook.one_way(scale * (layout.y + shift), layout.codes)
    before, after = (ESTIMATES[criterion](each) for each in (layout, moved))
    assert after.var_E == pytest.approx(scale**2 * before.var_E, rel=1e-6)
    assert after.icc == pytest.approx(before.icc, abs=1e-6)
    assert pytest.approx(layout.F, rel=1e-6, abs=1e-12) == moved.F


@LAW
@given(layout=layouts(balanced=True))
def test_balanced_reml_is_anova_where_that_is_possible(layout):
    anova, reml, ml = (
        estimates(layout)
        for estimates in (bl.textbook.anova_estimates, bl.textbook.reml_estimates, bl.textbook.ml_estimates)
    )
    if anova.var_A >= 0:
        assert (reml.var_A, reml.var_E) == pytest.approx((anova.var_A, anova.var_E), rel=1e-9, abs=1e-12)
    else:
        assert (reml.var_A, reml.var_E) == pytest.approx((0.0, layout.SST / (layout.N - 1)), rel=1e-12)
    assert ml.var_A <= reml.var_A


@CRITERIA
@LAW
@given(layout=layouts(balanced=True))
def test_the_ratio_is_the_difference_of_likelihoods(layout, criterion):
    found, best = bl.textbook.variance_ratio_test(layout, criterion), ESTIMATES[criterion](layout)
    small, big = (bl.textbook.profile(layout, ratio, criterion).deviance for ratio in (0.0, best.theta**2))
    assert found.statistic == pytest.approx(small - big, abs=1e-8)
    assert (found.statistic == 0) is (best.var_A == 0)
    assert found.p_exact in (1.0, layout.p)


@LAW
@given(layout=layouts(), ratio=st.floats(0, 50), alpha=st.floats(0.001, 0.5))
def test_power_and_laws(layout, ratio, alpha):
    power = bl.textbook.f_test_power([0.0, ratio, ratio + 0.1], layout.sizes, alpha)
    assert power[0] == pytest.approx(alpha, rel=1e-9)
    assert alpha * (1 - 1e-9) <= power[1] <= power[2] <= 1
    law = bl.textbook.law_of_SSA(layout.sizes, ratio, 1.0)
    expected = bl.textbook.expected_mean_squares(layout, ratio, 1.0)
    assert law.mean == pytest.approx(layout.df_A * expected.MSA, rel=1e-9)
    assert law.df.sum() == layout.df_A


@LAW
@given(model=models(), seed=st.integers(0, 99))
def test_identities(model, seed):
    assert bl.textbook.henderson_is_blup(model).gap < 1e-7
    assert bl.textbook.blup_is_the_joint_mode(model).gap < 1e-7
    assert bl.textbook.reml_is_of_contrasts(model.y, model.X, model.V).gap < 1e-9
    rng = np.random.default_rng(seed)
    c, d = rng.normal(size=model.X.shape[1]), rng.normal(size=model.Z.shape[1])
    contrasts = bl.textbook.error_contrasts(model.X)
    weights = bl.textbook.blup_weights(model, c, d) + contrasts @ rng.normal(size=contrasts.shape[1])
    assert bl.textbook.least_mean_squared_error(model, weights, c, d).gap < 1e-8


@LAW
@given(rank=st.integers(1, 4), extra=st.integers(1, 3), seed=st.integers(0, 999))
def test_estimability_has_a_witness_either_way(rank, extra, seed):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(8, rank)) @ rng.normal(size=(rank, rank + extra))
    inside = bl.textbook.estimability(rng.normal(size=8) @ X, X)
    assert inside.holds
    c = rng.normal(size=rank + extra)
    outside = bl.textbook.estimability(c, X)
    assert not outside.holds
    np.testing.assert_allclose(X @ outside.invisible, 0, atol=1e-7 * np.abs(outside.invisible).max())
    assert c @ outside.invisible == pytest.approx(1)

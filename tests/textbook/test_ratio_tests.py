"""Likelihood-ratio tests: the engine's statistics, and how far their χ² is from the truth."""

import numpy as np
import pytest

import bayeslmm as bl
from bayeslmm.errors import DataError, OptionError
from tests.textbook.layouts import UNEQUAL, fitted, random_layout, simulated_sums

DATASETS = {"Dyestuff": ("Yield", "Batch"), "Dyestuff2": ("Yield", "Batch"), "Rail": ("travel", "Rail")}


@pytest.mark.parametrize("criterion", ["ML", "REML"])
@pytest.mark.parametrize("name", DATASETS)
def test_the_statistic_is_the_engines(name, criterion):
    response, group = DATASETS[name]
    data = bl.load_dataset(name)
    found = bl.textbook.variance_ratio_test(bl.textbook.one_way(data[response], data[group]), criterion)
    big = fitted(f"{response} ~ 1 + (1 | {group})", data, criterion)
    small = fitted(f"{response} ~ 1", data, criterion)
    assert found.statistic == pytest.approx(small.criterion_value - big.criterion_value, abs=1e-8)


def test_the_exact_p_is_the_simulated_one():
    """RLRsim's distribution, which knows nothing of F."""
    dyes = bl.load_dataset("Dyestuff")
    found = bl.textbook.variance_ratio_test(bl.textbook.one_way(dyes["Yield"], dyes["Batch"]))
    big, small = (bl.LinearMixedModel(f"Yield ~ 1{bar}", dyes) for bar in (" + (1 | Batch)", ""))
    simulated = bl.exact_rlrt(small.fit(), big.fit(), seed=1)
    spread = np.sqrt(found.p_exact / len(simulated.sample))
    assert simulated.p == pytest.approx(found.p_exact, abs=4 * spread)
    assert np.mean(simulated.sample < 1e-10) == pytest.approx(found.share_at_zero, abs=0.02)


@pytest.mark.parametrize("criterion", ["ML", "REML"])
@pytest.mark.parametrize(("k", "n"), [(3, 2), (6, 5), (20, 3)])
def test_levels_are_shares_of_rejections(k, n, criterion):
    from scipy.stats import chi2

    from bayeslmm.textbook.strata import ratio_statistic

    layout = random_layout([n] * k)
    SSA, SSE = simulated_sums(layout, 20_000, ratio=0.0)
    counts = np.array([layout.df_E, layout.k if criterion == "ML" else layout.df_A], dtype=float)
    statistics = ratio_statistic(np.column_stack([SSE, SSA]), counts)
    found = bl.textbook.variance_ratio_level(k, n, criterion=criterion)
    assert np.mean(statistics == 0) == pytest.approx(found.share_at_zero, abs=0.014)
    assert np.mean(statistics > chi2.isf(0.05, 1)) == pytest.approx(found.chi2, abs=0.006)
    assert np.mean(statistics > chi2.isf(0.1, 1)) == pytest.approx(found.mixture, abs=0.006)


def test_doubt_fades_with_many_groups_and_only_for_the_mixture():
    few, many = (bl.textbook.variance_ratio_level(k, 5) for k in (4, 4000))
    assert abs(many.mixture - 0.05) < 0.002 < abs(few.mixture - 0.05)
    assert many.chi2 == pytest.approx(0.025, abs=0.002)
    assert many.share_at_zero == pytest.approx(0.5, abs=0.01)


@pytest.mark.parametrize("name", ["Machines", "ergoStool"])
def test_the_treatments_statistic_is_the_engines(name):
    data = bl.load_dataset(name)
    if name == "Machines":
        layout = bl.textbook.two_way(data["score"], data["Machine"], data["Worker"])
        formulas = [f"score ~ {fixed} + (1 | Worker) + (1 | Worker:Machine)" for fixed in ("1", "Machine")]
    else:
        layout = bl.textbook.randomized_blocks(data["effort"], data["Type"], data["Subject"])
        formulas = [f"effort ~ {fixed} + (1 | Subject)" for fixed in ("1", "Type")]
    small, big = (fitted(formula, data, "ML") for formula in formulas)
    found = bl.textbook.treatment_ratio_test(layout)
    assert found.statistic == pytest.approx(small.criterion_value - big.criterion_value, abs=1e-7)
    assert found.p_chi2 == pytest.approx(bl.anova(small, big)["p"].iloc[1], rel=1e-6)
    below = layout.strata[-2]
    as_said = below.multiplicity * np.log1p(found.F * found.df / below.df)
    assert found.statistic == pytest.approx(as_said, rel=1e-10)


def test_equal_group_means_are_no_evidence():
    found = bl.textbook.variance_ratio_test(bl.textbook.one_way([1.0, 2.0, 1.0, 2.0], [1, 1, 2, 2]))
    assert (found.statistic, found.p_chi2, found.p_exact) == (0.0, 1.0, 1.0)


def test_what_has_no_closed_form_is_refused():
    with pytest.raises(DataError, match=r"bl.exact_rlrt and bl.bootstrap_lrt"):
        bl.textbook.variance_ratio_test(random_layout(UNEQUAL))
    with pytest.raises(OptionError, match="did you mean"):
        bl.textbook.variance_ratio_test(random_layout([3, 3]), "Reml")
    with pytest.raises(OptionError, match="n is a whole number of at least 2"):
        bl.textbook.variance_ratio_level(3, 1)

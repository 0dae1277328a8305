"""Steps of the bootstrap likelihood-ratio test: the closed form's draws, the engine's, and the exact law."""

import numpy as np
import pytest
from scipy.stats import ks_2samp

import bayeslmm as bl
from bayeslmm.errors import OptionError
from tests.textbook.layouts import fitted


def dyes():
    data = bl.load_dataset("Dyestuff")
    return bl.textbook.one_way(data["Yield"], data["Batch"])


@pytest.mark.parametrize("criterion", ["ML", "REML"])
def test_draws_follow_the_exact_law(criterion):
    found = bl.textbook.bootstrap_ratio_steps(dyes(), 1000, seed=1, criterion=criterion)
    exact = bl.textbook.variance_ratio_test(dyes(), criterion)
    assert found.statistic == exact.statistic
    assert found.share_at_zero == pytest.approx(exact.share_at_zero, abs=0.05)
    assert found.p == pytest.approx(exact.p_exact, abs=4 * np.sqrt(exact.p_exact / 1000))


@pytest.mark.slow
def test_draws_are_the_engines():
    data = bl.load_dataset("Dyestuff")
    small, big = (fitted(f"Yield ~ 1{bar}", data, "ML") for bar in ("", " + (1 | Batch)"))
    engine = bl.bootstrap_lrt(small, big, n=300, seed=1, progress=False)
    found = bl.textbook.bootstrap_ratio_steps(dyes(), 300, seed=2)
    assert found.statistic == pytest.approx(engine.statistic, abs=1e-8)
    assert (found.mu, found.var) == pytest.approx((small.beta_values[0], small.sigma**2), rel=1e-10)
    assert ks_2samp(found.draws, np.where(engine.draws < 1e-7, 0.0, engine.draws)).pvalue > 0.01


def test_one_seed_one_set_of_draws_and_steps_are_printed():
    first, again, other = (bl.textbook.bootstrap_ratio_steps(dyes(), 50, seed=seed) for seed in (3, 3, 4))
    np.testing.assert_array_equal(first.draws, again.draws)
    assert np.any(first.draws != other.draws)
    assert [line[:2] for line in repr(first).splitlines()] == ["1.", "2.", "3.", "4."]
    fresh = bl.textbook.bootstrap_ratio_steps(dyes(), 20)
    np.testing.assert_array_equal(
        bl.textbook.bootstrap_ratio_steps(dyes(), 20, seed=fresh.seed).draws, fresh.draws
    )


def test_a_count_is_needed():
    with pytest.raises(OptionError, match="n is a whole number"):
        bl.textbook.bootstrap_ratio_steps(dyes(), 0)

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import bayeslmm as bl
from bayeslmm.errors import OptionError
from bayeslmm.likelihood.studies.extended import extended

TRUTH = {"beta[Intercept]": 2.0, "beta[x]": -0.1, "sd[g: Intercept]": np.sqrt(0.5), "sigma": 1.0}
ASKED = {"test": "x", "seed": 1, "progress": False}


@pytest.fixture(scope="module")
def model():
    """simr's "from scratch": three groups, x from 1 to 10."""
    data = pd.DataFrame([(x, g) for g in "abc" for x in range(1, 11)], columns=["x", "g"])
    data["y"] = np.random.default_rng(0).normal(size=30)
    return bl.LinearMixedModel("y ~ x + (1 | g)", data)


@pytest.fixture(scope="module")
def curve(model):
    return bl.power_curve(model, TRUTH, along="g", sizes=[3, 9], n=300, **ASKED)


def test_power_is_that_of_the_f_test(curve):
    """Inside groups the test of x is exact where no variance vanishes: F(1, 10 J − J − 1)."""
    for size, power in zip(curve.sizes, curve.powers, strict=True):
        df = 9 * size - 1
        exact = stats.ncf.sf(stats.f.isf(0.05, 1, df), 1, df, 0.1**2 * 82.5 * size)
        assert power.power == pytest.approx(exact, abs=3.5 * np.sqrt(exact * (1 - exact) / 300))


def test_simr_found_it_too(curve):
    """Green & MacLeod's vignette has 30 % (11.89, 54.28) in 20 simulations of three groups."""
    assert 0.1189 < curve.powers[0].power < 0.5428


@pytest.mark.slow
def test_sizes_share_their_random_numbers(model, curve):
    alone = bl.power_curve(model, TRUTH, along="g", sizes=[9], n=300, **ASKED)
    np.testing.assert_array_equal(alone.powers[0].pvalues, curve.powers[1].pvalues)
    assert stats.spearmanr(*(each.pvalues for each in curve.powers)).statistic > 0.2


@pytest.mark.slow
def test_assurance_averages_over_the_posterior(model):
    post = model.sample(method="quadrature", draws=50, chains=2, seed=1)
    found = bl.power_curve(model, post, along="rows", sizes=[1, 2], n=40, n_jobs=2, **ASKED)
    again = bl.power_curve(model, post, along="rows", sizes=[1, 2], n=40, **ASKED)
    np.testing.assert_array_equal(found.assurances[0].pvalues, again.assurances[0].pvalues)
    assert list(found.table.columns) == ["n", "power", "lower", "upper", "assurance"]
    assert len(found.plot().data) == 3


def test_levels_come_again_with_what_is_nested_in_them():
    data = pd.DataFrame({"a": list("ppqq"), "b": [1, 2, 3, 4], "item": list("xyxy"), "v": range(4)})
    longer = extended(data, ("a", "b", "item"), "a", 3)
    assert longer["v"].tolist() == [0, 1, 2, 3, 0, 1]
    assert longer["a"].nunique() == 3 and longer["b"].nunique() == 6 and longer["item"].nunique() == 2
    pd.testing.assert_frame_equal(longer.iloc[:2], extended(data, ("a", "b", "item"), "a", 1))


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"along": "x"}, "along"),
        ({"sizes": []}, "empty"),
        ({"sizes": [0]}, "sizes"),
        ({"sizes": 6}, "sizes=\\[6\\] for this one"),
        ({"alpha": 2}, "alpha"),
    ],
)
def test_bad_options(model, options, said):
    with pytest.raises(OptionError, match=said):
        bl.power_curve(model, TRUTH, **{"along": "g", "sizes": [3], "n": 2, **ASKED, **options})

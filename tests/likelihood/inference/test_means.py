"""Adjusted p-values and limits against other computations of the same probabilities."""

from typing import get_args

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy import stats

import bayeslmm as bl
from bayeslmm.errors import OptionError
from bayeslmm.likelihood.fit import DdfWord
from bayeslmm.likelihood.inference.adjust.base import Adjustment, Family
from bayeslmm.likelihood.inference.ddf.base import DDF
from bayeslmm.likelihood.inference.simultaneous import critical_value, largest_t_sf, range_sf
from bayeslmm.spec.grid import GRID_WEIGHTS, GridWeights
from bayeslmm.spec.prediction import NEW_LEVELS, NewLevels


@pytest.fixture(scope="module")
def fit():
    formula = "yield ~ nitrof * Variety + (1 | Block/Variety)"
    return bl.LinearMixedModel(formula, bl.load_dataset("Oats")).fit()


@pytest.mark.parametrize(
    ("q", "k", "df"), [(3.5, 4, 17), (6, 3, 5), (2, 10, 1.5), (4, 5, np.inf), (9, 3, 60)]
)
def test_the_studentized_range_is_scipys(q, k, df):
    assert_allclose(range_sf(q, k, df), stats.studentized_range.sf(q, k, df), rtol=1e-7)


@pytest.mark.parametrize("df", [4.0, 17.3, np.inf])
def test_the_largest_of_equally_correlated_t_is_one_integral(df):
    """With correlation ½ the statistics are (z_i + z_0)/√2 over one s."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(80)
    weights = weights / weights.sum()
    scales = (
        np.ones(1) if np.isinf(df) else np.sqrt(stats.chi2.ppf((np.arange(20_000) + 0.5) / 20_000, df) / df)
    )
    root = np.linalg.cholesky(0.5 * np.ones((4, 4)) + 0.5 * np.eye(4))
    for t in (1.0, 2.5, 4.0):
        bound = np.sqrt(2) * t * scales[:, None]
        inside = (stats.norm.cdf(bound - nodes) - stats.norm.cdf(-bound - nodes)) ** 4
        assert largest_t_sf(t, root, df) == pytest.approx(1 - (inside @ weights).mean(), abs=5e-5)


def test_one_contrast_needs_no_adjustment(fit):
    family = Family(np.array([2.1]), np.array([9.0]), np.eye(1), 2, "reference")
    plain = Adjustment.kind("none")()
    for word in ("dunnett", "holm"):
        adjustment = Adjustment.kind(word)()
        assert_allclose(adjustment.p(family), plain.p(family), atol=2e-5)
        assert_allclose(adjustment.critical(family, 0.95), plain.critical(family, 0.95), rtol=1e-3)
    pair = family._replace(kind="pairwise")
    assert_allclose(Adjustment.kind("tukey")().p(pair), plain.p(pair), rtol=1e-9)


@pytest.mark.parametrize(("kind", "adjust"), [("pairwise", "tukey"), ("reference", "dunnett")])
def test_limits_and_p_say_the_same(fit, kind, adjust):
    """At prob = 1 − p the interval of a contrast ends at 0."""
    p = fit.marginal_means("Variety").contrasts(kind, adjust=adjust)["p"]
    again = fit.marginal_means("Variety", prob=1 - float(p.iloc[0])).contrasts(kind, adjust=adjust).iloc[0]
    assert min(abs(again["lower"]), abs(again["upper"])) < 1e-4 * again["se"]


def test_holm_by_hand():
    t = np.array([3.0, -2.0, 0.5, 2.5])
    family = Family(t, np.full(4, 10.0), np.eye(4), 5, "own")
    p = 2 * stats.t.sf(np.abs(t), 10)
    expected = [4 * p[0], max(2 * p[1], 3 * p[3]), max(p[2], 2 * p[1], 3 * p[3]), 3 * p[3]]
    assert_allclose(Adjustment.kind("holm")().p(family), expected, rtol=1e-10)


def test_the_usual_adjustments(fit):
    means = fit.marginal_means("nitrof")
    assert means.contrasts().attrs["adjust"] == "tukey"
    assert means.contrasts("reference").attrs["adjust"] == "dunnett"
    assert means.contrasts({"linear": [-3, -1, 1, 3]}).attrs["adjust"] == "none"


def test_own_contrasts_are_hypotheses(fit):
    names = fit.design.coefs
    weights = [-1.0, 1.0, 0.0]
    own = fit.marginal_means("Variety").contrasts({"M - G": weights}).iloc[0]
    row = np.zeros(len(names))
    for place, name in enumerate(names):
        row[place] = (name == "Variety[T.Marvellous]") + ("Marvellous" in name and ":" in name) / 4
    tested = fit.test([row], ddf="kenward-roger").rows.iloc[0]
    assert_allclose(own[["estimate", "se", "df", "p"]], tested[["estimate", "se", "df", "p"]])


def test_by_groups_are_families_of_their_own(fit):
    table = fit.marginal_means("Variety", by="nitrof").contrasts()
    one = fit.marginal_means("Variety", at={"nitrof": "0.4"}).contrasts()
    assert_allclose(table.loc["0.4"], one, rtol=1e-9)


def test_bad_input(fit):
    means = fit.marginal_means("Variety")
    with pytest.raises(OptionError, match="Tukey's adjustment is of all pairs"):
        means.contrasts("reference", adjust="tukey")
    with pytest.raises(OptionError, match="none follows from the others"):
        means.contrasts("pairwise", adjust="dunnett")
    with pytest.raises(OptionError, match="adjust 'bonferoni' isn't known"):
        means.contrasts(adjust="bonferoni")
    with pytest.raises(OptionError, match="there is one mean"):
        fit.marginal_means("Variety", at={"Variety": "Victory"}).contrasts()
    with pytest.raises(OptionError, match=r"contrasts is .*, which isn't numbers"):
        means.contrasts({"first": "Victory"})
    with pytest.raises(OptionError, match="prob is 95"):
        fit.marginal_means("Variety", prob=95)


def test_a_critical_value_is_where_the_tail_is():
    assert critical_value(lambda t: 2 * stats.t.sf(t, 3), 0.9) == pytest.approx(
        stats.t.ppf(0.95, 3), abs=1e-6
    )


def test_means_of_a_cell_without_data_are_not_estimable():
    data = bl.load_dataset("Oats")
    data = data[~((data["nitrof"] == "0.6") & (data["Variety"] == "Victory"))]
    with pytest.warns(bl.errors.DesignWarning):
        model = bl.LinearMixedModel("yield ~ nitrof * Variety + (1 | Block/Variety)", data)
    means = model.fit().marginal_means("Variety")
    assert np.isnan(means.table.loc["Victory", ["estimate", "se", "df", "p", "lower", "upper"]]).all()
    assert means.table.loc["Marvellous"].notna().all()
    assert "Victory isn't estimable" in repr(means)
    pairs = means.contrasts()
    assert pairs["p"].notna().tolist() == [True, False, False]


def test_types_name_the_choices_there_are():
    assert set(get_args(DdfWord.__value__)) == set(DDF.kinds())
    assert set(get_args(GridWeights.__value__)) == set(GRID_WEIGHTS)
    assert set(get_args(NewLevels.__value__)) == set(NEW_LEVELS)

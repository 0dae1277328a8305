"""Autocorrelations and variograms of residuals, against nlme's `ACF` and `Variogram`."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

import bayeslmm as bl
from bayeslmm.errors import OptionError
from bayeslmm.likelihood.fit import LikelihoodFit

C = bl.correlation
# nlme 3.1-162: gls(follicles ~ Time, correlation = corAR1(form = ~ 1 | Mare)), ACF(resType = ...)
ACF = {
    "normalized": [1, -0.115277305, 0.077054599, -0.007092609, 0.106606555],
    "pearson": [1, 0.7842961, 0.6784128, 0.5776059, 0.5140233],
}


@pytest.fixture(scope="module")
def ovary() -> LikelihoodFit:
    data = bl.load_dataset("Ovary")
    return bl.LinearMixedModel("follicles ~ Time", data, correlation=C.AR1("1 | Mare")).fit()


@pytest.mark.parametrize("kind", ACF)
def test_autocorrelation(ovary: LikelihoodFit, kind: str) -> None:
    found = ovary.residual_acf(4, kind)
    assert_allclose(found["acf"], ACF[kind], rtol=1e-6)
    assert found["n_pairs"].tolist() == [308, 297, 286, 275, 264]


def test_a_lag_that_no_group_has(ovary: LikelihoodFit) -> None:
    found = ovary.residual_acf(40)
    assert np.isnan(found["acf"].iloc[-1])
    assert found["n_pairs"].iloc[-1] == 0


def test_variogram() -> None:
    """Of gls(weight ~ Time * Diet, correlation = corExp(form = ~ Time | Rat)), means by distance."""
    data = bl.load_dataset("BodyWeight")
    model = bl.LinearMixedModel("weight ~ Time * Diet", data, correlation=C.Exponential("Time | Rat"))
    fit = model.fit()
    found = fit.residual_variogram(40, "pearson").head()
    assert found["distance"].tolist() == [1, 6, 7, 8, 13]
    expected = [0.005948675, 0.011577471, 0.011683594, 0.015905966, 0.008134146]
    assert_allclose(found["variogram"], expected, rtol=1e-4)
    few = fit.residual_variogram(5)
    assert len(few) == 5
    assert few["n_pairs"].sum() == 16 * 11 * 10 // 2


def test_independent_rows_go_by_their_factor() -> None:
    fit = bl.LinearMixedModel("Reaction ~ Days + (1 | Subject)", bl.load_dataset("sleepstudy")).fit()
    assert fit.residual_acf(3)["n_pairs"].tolist() == [180, 162, 144, 126]
    assert fit.residual_variogram(9)["distance"].tolist() == list(range(1, 10))


def test_a_kind_that_isn_t_there(ovary: LikelihoodFit) -> None:
    with pytest.raises(OptionError, match="normalized"):
        ovary.residual_acf(kind="raw")


def test_both_are_drawn() -> None:
    ovary = bl.load_dataset("Ovary")
    fit = bl.LinearMixedModel("follicles ~ Time", ovary, correlation=bl.correlation.AR1("1 | Mare")).fit()
    acf, _, by_distance, _ = fit.plot_serial(max_lag=6, bins=5).data
    np.testing.assert_allclose(acf.y, fit.residual_acf(6)["acf"][1:])
    np.testing.assert_allclose(by_distance.y, fit.residual_variogram(5)["variogram"])

"""What the report says of a fit alone, whose residual has a structure."""

import warnings

import pytest

import bayeslmm
from bayeslmm.parity.report.units import unit_of
from bayeslmm.parity.report.words import varying


@pytest.fixture(scope="module")
def fit():
    data = bayeslmm.load_dataset("Orthodont")
    variance = bayeslmm.variance.Ident("Sex")
    return bayeslmm.LinearMixedModel("distance ~ age + (0 + age | Subject)", data, variance=variance).fit()


def test_the_residuals_structure_is_told(fit):
    *_, last = varying(fit, 0.95)
    male, female = (fit.estimates().frame.loc[f"sd[Sex: {sex}]", "estimate"] for sex in ("Male", "Female"))
    assert last.startswith("Residuals: Ident(Sex): sd[Sex: ")
    assert f"sd[Sex: Male] {male:.3f} (95 %: " in last
    assert f"sd[Sex: Female] {female:.4f} (95 %: " in last


def test_units_know_the_residuals_own(fit):
    par = bayeslmm.compare(fit)
    assert unit_of("sd[Sex: Male]", par) == "distance"
    assert unit_of("sd[Subject: age]", par) == "distance per unit of age"
    assert unit_of("beta[Intercept]", par) == unit_of("sigma", par) == "distance"


def test_a_fit_alone_makes_a_page_without_a_warning(fit, tmp_path):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        path = bayeslmm.compare(fit).report(tmp_path / "page.html")
    text = path.with_suffix(".md").read_text(encoding="utf-8")
    assert "Residuals: Ident" in text
    assert "nan" not in text.lower().split()
    assert text.count("is compared: there is no posterior; give one") == 1

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import bayeslmm as bl
from bayeslmm.errors import OptionError
from bayeslmm.likelihood.fit import LikelihoodFit
from bayeslmm.likelihood.inference.boundary import boundary_p, chi_squared_p
from bayeslmm.likelihood.inference.nesting import covariance_spans
from bayeslmm.likelihood.inference.pieces import pieces_of, with_pieces
from bayeslmm.likelihood.inference.rlrt import null_sample

SLEEP = "Reaction ~ Days + (Days | Subject)"


def sleepstudy(fitter, formula: str, criterion: str = "REML") -> LikelihoodFit:
    return fitter(formula, "sleepstudy", criterion)


def test_order_doesnt_matter_and_refits_are_told(fitter) -> None:
    small, big = (sleepstudy(fitter, f"Reaction ~ {x} + (Days | Subject)") for x in ("1", "Days"))
    table = bl.anova(big, small)
    assert table.equals(bl.anova(small, big))
    assert table.attrs["criterion"] == "ML"
    assert "2 of 2 fits were refitted by ML" in str(table)
    assert table["p"].iloc[1] == pytest.approx(stats.chi2.sf(table["chisq"].iloc[1], 1))
    assert table["p_boundary"].iloc[1] == table["p"].iloc[1]


def test_random_parts_are_compared_by_reml_as_they_are(fitter, sleep: LikelihoodFit) -> None:
    small = sleepstudy(fitter, "Reaction ~ Days + (1 | Subject)")
    table = bl.anova(small, sleep)
    statistic = small.criterion_value - sleep.criterion_value
    mixture = 0.5 * (stats.chi2.sf(statistic, 1) + stats.chi2.sf(statistic, 2))
    assert table.attrs["criterion"] == "REML"
    assert table.attrs["notes"] == ()
    assert table["chisq"].iloc[1] == statistic
    assert table["p_boundary"].iloc[1] == pytest.approx(mixture)


def test_models_that_differ_in_their_residual_are_told_apart() -> None:
    data = bl.load_dataset("Orthodont")
    kinds = [
        None,
        bl.correlation.CompoundSymmetry("1 | Subject"),
        bl.correlation.Unstructured("age | Subject", by="Sex"),
    ]
    models = [bl.LinearMixedModel("distance ~ age", data, correlation=kind) for kind in kinds]
    said = [
        "distance ~ age; all rows alike",
        "distance ~ age; CompoundSymmetry(1 | Subject)",
        "distance ~ age; Unstructured(age | Subject, by=Sex)",
    ]
    assert bl.anova(*models[:2]).index.tolist() == said[:2]
    assert sorted(bl.select(models).index) == sorted(said)


def test_two_new_variances_have_no_closed_form(fitter, sleep: LikelihoodFit) -> None:
    table = bl.anova(sleepstudy(fitter, "Reaction ~ Days"), sleep)
    assert np.isnan(table["p_boundary"].iloc[1])
    assert np.isfinite(table["p"].iloc[1])


@pytest.mark.parametrize(
    ("one", "other", "options", "message"),
    [
        ("Reaction ~ 1 + (1 | Subject)", SLEEP, {"criterion": "REML"}, "what is left of y after its own"),
        ("Reaction ~ 1 + (1 | Subject)", SLEEP, {"criterion": "reml"}, "did you mean 'REML'"),
        ("Reaction ~ I(Days**2) + (1 | Subject)", SLEEP, {}, "fixed effects .* aren't inside"),
        (
            "Reaction ~ Days + (0 + Days | Subject)",
            "Reaction ~ Days + (1 | Subject)",
            {},
            "neither is inside",
        ),
        (
            "Reaction ~ Days + (1 | Subject)",
            "Reaction ~ Days + (0 + Days + I(Days**2) | Subject)",
            {},
            "random",
        ),
        (SLEEP, SLEEP, {}, "same|neither"),
    ],
)
def test_what_cant_be_compared(fitter, one: str, other: str, options: dict[str, str], message: str) -> None:
    with pytest.raises(OptionError, match=message):
        bl.anova(sleepstudy(fitter, one), sleepstudy(fitter, other), **options)


def test_different_data_cant_be_compared(sleep: LikelihoodFit, fitter) -> None:
    with pytest.raises(OptionError, match="at least two"):
        bl.anova(sleep)
    data = bl.load_dataset("sleepstudy")
    fewer = bl.LinearMixedModel("Reaction ~ 1 + (1 | Subject)", data.iloc[5:]).fit()
    with pytest.raises(OptionError, match=r"uses 175 rows and .* 180"):
        bl.anova(fewer, sleep)
    with pytest.raises(OptionError, match="different responses"):
        bl.anova(sleepstudy(fitter, "Reaction ~ 1 + (1 | Subject)").refit(sleep.design.y + 1), sleep)
    with pytest.raises(OptionError, match="different weights"):
        bl.anova(fitter("Reaction ~ 1 + (1 | Subject)", "sleepstudy", weights="w"), sleep)


def test_nesting_sees_through_parametrizations(fitter) -> None:
    """Compound symmetry over machines is a variance of workers and one of their machines."""
    nested = fitter("score ~ Machine + (1 | Worker) + (1 | Worker:Machine)", "Machines")
    free = fitter("score ~ Machine + (0 + Machine | Worker)", "Machines")
    assert covariance_spans(free.design, nested.design)
    assert not covariance_spans(nested.design, free.design)
    assert bl.anova(nested, free)["df"].iloc[1] == 4


def test_boundary_p_values() -> None:
    assert boundary_p(0.0, 1, 1) == 1.0
    assert boundary_p(2.7, 1, 1) == pytest.approx(0.5 * stats.chi2.sf(2.7, 1))
    assert boundary_p(2.7, 3, 0) == pytest.approx(stats.chi2.sf(2.7, 3))
    assert np.isnan(boundary_p(2.7, 3, 2))
    assert [chi_squared_p(1.0, 0), chi_squared_p(0.0, 0)] == [0.0, 1.0]


def test_pieces_make_the_same_model_again(fitter) -> None:
    for formula, data in (
        ("Reaction ~ Days + (Days || Subject)", "sleepstudy"),
        ("pixel ~ day + (day | Dog) + (1 | Dog:Side)", "Pixel"),
    ):
        fit = fitter(formula, data)
        again = with_pieces(fit.design, pieces_of(fit.design))
        np.testing.assert_array_equal(again.Z.toarray(), fit.design.Z.toarray())
        assert again.n_theta == fit.design.n_theta


def test_ranova_leaves_out_or_reduces(sleep: LikelihoodFit, fitter) -> None:
    reduced = sleep.ranova()
    assert list(reduced.index) == ["<none>", "Days in (Days | Subject)"]
    whole = sleep.ranova(reduce_terms=False)
    assert list(whole.index) == ["<none>", "(Days | Subject)"]
    assert whole["df"].iloc[1] == 3
    parts = sleepstudy(fitter, "Reaction ~ Days + (Days || Subject)").ranova(exact=True, n=500, seed=1)
    assert list(parts.index)[1:] == ["(1 | Subject)", "Days in (0 + Days | Subject)"]
    assert parts["p_exact"].iloc[1:].between(0, 0.01).all()
    assert parts["p_bootstrap"].isna().all()
    with pytest.raises(OptionError, match="this fit has none"):
        sleepstudy(fitter, "Reaction ~ Days").ranova()


@pytest.fixture(scope="module")
def dyestuff(fitter) -> tuple[LikelihoodFit, LikelihoodFit]:
    return fitter("Yield ~ 1", "Dyestuff"), fitter("Yield ~ 1 + (1 | Batch)", "Dyestuff")


def test_null_distribution_is_that_of_the_f_statistic(dyestuff) -> None:
    """Balanced one-way: the supremum has a closed form in F."""
    _, big = dyestuff
    (tested,) = pieces_of(big.design)
    n = 40_000
    sample = np.sort(null_sample(big.design, tested, n, np.random.default_rng(1)))
    rng = np.random.default_rng(2)
    between, within = rng.chisquare(5, n), rng.chisquare(24, n)
    ratio = np.maximum(between / 5 / (within / 24), 1.0)
    closed = 29 * np.log((between + within) / (between / ratio + within)) - 5 * np.log(ratio)
    assert stats.ks_2samp(sample[sample > 0], closed[closed > 0]).pvalue > 1e-3
    assert np.mean(sample == 0) == pytest.approx(stats.f.cdf(1, 5, 24), abs=0.01)


def test_exact_test_says_all_p_values(dyestuff) -> None:
    result = bl.exact_rlrt(*dyestuff, n=2000, seed=7)
    assert result.p == bl.exact_rlrt(*dyestuff, n=2000, seed=7).p
    assert result.table.columns.tolist() == [
        "statistic", "p_chisq", "p_boundary", "p_exact", "mc_error", "p_bootstrap",
    ]  # fmt: skip
    assert "seed 7" in repr(result)
    assert "exact p" in result._repr_html_()
    assert bl.exact_rlrt(*dyestuff, n=10).seed >= 0


def test_a_statistic_of_zero_has_p_one(fitter, singular: LikelihoodFit) -> None:
    result = bl.exact_rlrt(fitter("Yield ~ 1", "Dyestuff2"), singular, n=100, seed=1)
    assert (result.statistic, result.p, result.mc_error) == (0.0, 1.0, 0.0)


def test_exact_test_is_of_one_variance(fitter, sleep: LikelihoodFit) -> None:
    with pytest.raises(OptionError, match="of one variance"):
        bl.exact_rlrt(sleepstudy(fitter, "Reaction ~ Days + (1 | Subject)"), sleep)
    with pytest.raises(OptionError, match="different fixed parts"):
        bl.exact_rlrt(
            sleepstudy(fitter, "Reaction ~ 1"), sleepstudy(fitter, "Reaction ~ Days + (1 | Subject)")
        )
    with pytest.raises(OptionError, match="at least 1"):
        bl.exact_rlrt(
            sleepstudy(fitter, "Reaction ~ Days"), sleepstudy(fitter, "Reaction ~ Days + (1 | Subject)"), n=0
        )


def test_known_covariances_are_seen() -> None:
    """A relation between batches changes the null distribution, and what is nested in what."""
    data = bl.load_dataset("Dyestuff")
    names = sorted(data["Batch"].unique())
    K = pd.DataFrame(0.5 * np.eye(6) + 0.5, index=names, columns=names)
    small, plain = (bl.LinearMixedModel(f"Yield ~ 1{bar}", data).fit() for bar in ("", " + (1 | Batch)"))
    related = bl.LinearMixedModel("Yield ~ 1 + (1 | Batch)", data, covariance={"Batch": K}).fit()
    # what all batches share is the intercept's: only the scale of the variance differs
    one, other = (bl.exact_rlrt(small, big, n=5000, seed=1) for big in (plain, related))
    assert one.statistic == pytest.approx(other.statistic, abs=1e-6)
    np.testing.assert_allclose(one.sample, other.sample, atol=1e-6)
    assert not covariance_spans(plain.design, related.design)

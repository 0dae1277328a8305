"""Each verdict on planted evidence, and laws that hold for any."""

from dataclasses import fields, replace
from math import nan

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bayeslmm.parity.verdicts.base import Verdict
from bayeslmm.parity.verdicts.evidence import Evidence, VerdictOptions, overlap
from bayeslmm.parity.verdicts.precedence import judge, precedence
from tests.registries import forgotten

OPTIONS = VerdictOptions()


def name(evidence, options=OPTIONS):
    return judge(evidence, options).name


def test_honest_engines_agree(honest):
    assert name(honest) == "agree"


def test_a_wider_posterior_still_agrees(honest):
    assert name(replace(honest, post_lower=5.0, post_upper=16.0)) == "agree"


def test_the_sleepstudy_slope_sd_is_skewed(slope_sd):
    assert name(slope_sd) == "skewed"


def test_a_long_lower_tail_is_skewed_too(honest):
    cor = replace(honest, kind="cor", estimate=0.80, se=0.15, lower=0.4, upper=1.0, mcse=0.004)
    assert name(replace(cor, mean=0.68, median=0.72, sd=0.18, post_lower=0.25, post_upper=0.94)) == "skewed"


@pytest.mark.parametrize("shift", [-3.0, -0.6, 0.6, 3.0, 100.0])
def test_a_shifted_posterior_disagrees(honest, shift):
    moved = {
        field: getattr(honest, field) + shift for field in ("mean", "median", "post_lower", "post_upper")
    }
    assert name(replace(honest, **moved)) == "disagree"


@pytest.mark.parametrize("shift", [-4.0, 2.0, 4.0])
def test_skewness_does_not_excuse_a_shift(slope_sd, shift):
    moved = {
        field: getattr(slope_sd, field) + shift for field in ("mean", "median", "post_lower", "post_upper")
    }
    assert name(replace(slope_sd, **moved)) == "disagree"


def test_variance_for_sd_disagrees(slope_sd):
    squared = {f: getattr(slope_sd, f) ** 2 for f in ("mean", "median", "post_lower", "post_upper")}
    assert name(replace(slope_sd, **squared, sd=2 * 6.57 * 1.52)) == "disagree"


@pytest.mark.parametrize("factor", [0.4, 4.0])
def test_the_wrong_width_disagrees(honest, factor):
    half = factor * (honest.upper - honest.lower) / 2
    assert name(replace(honest, post_lower=honest.mean - half, post_upper=honest.mean + half)) == "disagree"


def test_a_zero_sd_is_on_the_boundary(slope_sd):
    piled_up = {"mean": 1.1, "median": 0.95, "sd": 0.8, "post_lower": 0.05, "post_upper": 3.0}
    assert name(replace(slope_sd, estimate=0.0, se=nan, lower=0.0, upper=1.9, **piled_up)) == "boundary"


def test_a_posterior_far_from_zero_contradicts_a_zero_sd(slope_sd):
    assert name(replace(slope_sd, estimate=0.0, se=nan, lower=0.0, upper=1.9)) == "disagree"


def test_a_unit_correlation_is_on_the_boundary(honest):
    unit = replace(honest, kind="cor", estimate=-1.0, se=nan, lower=nan, upper=nan)
    spread = {"mean": -0.4, "median": -0.45, "sd": 0.35, "post_lower": -0.95, "post_upper": 0.4}
    assert name(replace(unit, **spread)) == "boundary"
    assert name(replace(unit, **spread | {"sd": 0.1})) == "disagree"


def test_a_correlation_with_a_zero_sd_is_on_the_boundary(honest):
    assert name(replace(honest, kind="cor", estimate=nan, se=nan)) == "boundary"


def test_a_zero_effect_of_a_zero_sd_is_on_the_boundary(honest):
    zero = replace(honest, kind="ranef", estimate=0.0, se=0.0, lower=0.0, upper=0.0, mean=0.1)
    assert name(zero) == "boundary"


@pytest.mark.parametrize("difference", [0.0, 0.3])
def test_few_effective_draws_limit_the_comparison(honest, difference):
    assert name(replace(honest, mean=honest.estimate + difference, mcse=0.2)) == "Monte Carlo limited"


def test_noise_hides_the_cause_of_a_difference(slope_sd):
    assert name(replace(slope_sd, mean=8.0, median=7.5, mcse=0.3)) == "Monte Carlo limited"


def test_noise_does_not_hide_a_large_difference(honest):
    assert (
        name(replace(honest, mean=20.0, median=20.0, post_lower=16.6, post_upper=23.4, mcse=0.2))
        == "disagree"
    )


@pytest.mark.parametrize(
    "spoilt", [{"mean": nan}, {"estimate": nan}, {"r_hat": 1.4}, {"problem": "the fit stopped"}]
)
def test_a_failed_side_leaves_it_unresolved(honest, spoilt):
    evidence = replace(honest, **spoilt)
    assert name(evidence) == "unresolved"
    assert "Not compared" in judge(evidence, OPTIONS).sentence(evidence, OPTIONS)


def test_a_prior_explains_what_it_pulls(honest):
    pulled = replace(honest, mean=9.5, median=9.5, post_lower=6.1, post_upper=12.9)
    assert name(pulled) == "disagree"
    assert name(replace(pulled, prior_pull=-1.0)) == "prior-driven"
    assert name(replace(pulled, prior_pull=1.0)) == "disagree"
    assert name(replace(pulled, prior_pull=-5.0)) == "disagree"


def test_thresholds_rule(honest):
    assert name(replace(honest, mean=10.9, median=10.9), VerdictOptions(tolerance=0.1)) == "disagree"
    assert name(replace(honest, mean=10.9, median=10.9), VerdictOptions(tolerance=0.5)) == "agree"


def test_disagree_is_last_and_every_class_has_its_place():
    order = precedence()
    assert {type(verdict) for verdict in order} == set(Verdict.kinds().values())
    assert order[0].name == "unresolved"
    assert order[-1].name == "disagree"
    assert len({verdict.place for verdict in order}) == len(order)


def test_a_verdict_of_ones_own_is_asked_after_the_packages_causes(honest):
    with forgotten(Verdict):

        class Odd(Verdict):
            name, meaning, good = "odd", "the difference is an odd number", True

            def holds(self, e, o):
                return e.difference % 2 == 1

            def sentence(self, e, o):
                return f"{e.source} {e.estimate} and {e.mean} are oddly apart."

        moved = replace(honest, estimate=10.0, mean=13.0, median=13.0, post_lower=9.6, post_upper=16.4)
        assert name(moved) == "odd"
        assert name(honest) == "agree"
        assert [verdict.name for verdict in precedence()][-2:] == ["odd", "disagree"]
    assert name(moved) == "disagree"


@pytest.mark.parametrize("verdict", precedence(), ids=lambda verdict: verdict.name)
def test_every_sentence_is_one_sentence_of_the_evidence(verdict, slope_sd):
    text = verdict.sentence(replace(slope_sd, prior_pull=0.3, problem="the fit stopped"), OPTIONS)
    assert text[0].isupper()
    assert text.endswith(".")
    assert "nan" not in text


finite = st.floats(-100, 100)
positive = st.floats(0.01, 100)


@st.composite
def evidences(draw):
    estimate, mean, se, sd = draw(finite), draw(finite), draw(positive), draw(positive)
    return Evidence(
        label="x",
        kind=draw(st.sampled_from(["beta", "sd", "sigma", "ranef"])),
        source="REML",
        interval="wald",
        estimate=estimate,
        se=se,
        lower=estimate - 1.96 * se,
        upper=estimate + 1.96 * se,
        mean=mean,
        median=mean - draw(st.floats(-0.5, 0.5)) * sd,
        sd=sd,
        post_lower=mean - draw(st.floats(1, 3)) * sd,
        post_upper=mean + draw(st.floats(1, 3)) * sd,
        mcse=draw(st.floats(0.001, 0.1)) * sd,
        r_hat=draw(st.floats(1.0, 1.1)),
        prior_pull=draw(st.floats(-1, 1)) * sd,
    )


MEASURED = {
    "estimate",
    "se",
    "lower",
    "upper",
    "mean",
    "median",
    "sd",
    "post_lower",
    "post_upper",
    "mcse",
    "prior_pull",
}


@given(evidences(), st.integers(-20, 20))
def test_units_do_not_matter(evidence, power):
    """Powers of two scale without rounding, so the law is exact."""
    scaled = {f.name: getattr(evidence, f.name) * 2.0**power for f in fields(evidence) if f.name in MEASURED}
    assert name(replace(evidence, **scaled)) == name(evidence)


@given(evidences())
def test_names_do_not_matter(evidence):
    assert name(replace(evidence, label="y", source="ML", interval="profile")) == name(evidence)


@given(evidences())
def test_a_reflected_fixed_effect_gets_the_same_verdict(evidence):
    evidence = replace(evidence, kind="beta")
    turned = {f: -getattr(evidence, f) for f in ("estimate", "mean", "median", "prior_pull")}
    ends = {"lower": -evidence.upper, "upper": -evidence.lower}
    post = {"post_lower": -evidence.post_upper, "post_upper": -evidence.post_lower}
    assert name(replace(evidence, **turned, **ends, **post)) == name(evidence)


@given(evidences())
def test_larger_tolerance_never_spoils_agreement(evidence):
    if name(evidence) == "agree":
        assert name(evidence, VerdictOptions(tolerance=0.5)) == "agree"


@given(finite, positive, finite, positive)
def test_overlap_is_symmetric_and_a_proportion(a, width_a, b, width_b):
    first, second = (a, a + width_a), (b, b + width_b)
    assert overlap(*first, *second) == overlap(*second, *first)
    assert 0 <= overlap(*first, *second) <= 1
    assert overlap(*first, *first) == pytest.approx(1)

"""Each verdict on planted evidence, and laws that hold for any."""

from dataclasses import replace
from math import nan

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bayeslmm.parity.verdicts.base import Verdict
from bayeslmm.parity.verdicts.evidence import (
    AVERAGING,
    ESTIMATE,
    MERGED,
    PRIOR,
    SHAPE,
    UNKNOWN,
    Evidence,
    Step,
    VerdictOptions,
)
from bayeslmm.parity.verdicts.precedence import judge, precedence, said
from tests.registries import forgotten

OPTIONS = VerdictOptions()
KINDS = (ESTIMATE, PRIOR, AVERAGING, SHAPE, MERGED, UNKNOWN)


def name(evidence, options=OPTIONS):
    return judge(evidence, options)[0].name


def along(evidence, *steps):
    """The evidence with other steps, the mean where they lead; each (cause, size, kind, alone, away)."""
    made = tuple(Step(*step) for step in steps)
    mean = evidence.estimate + evidence.scale * sum(step.size for step in made)
    return replace(evidence, steps=made, mean=mean)


def test_honest_engines_agree(honest):
    assert name(honest) == "agree"


@pytest.mark.parametrize(("ratio", "expected"), [(1.3, "wider"), (0.7, "narrower"), (nan, "agree")])
def test_widths_have_verdicts(honest, ratio, expected):
    assert name(replace(honest, width_ratio=ratio)) == expected


def test_the_sleepstudy_slope_sd_is_skewed(slope_sd):
    assert name(slope_sd) == "skewed"
    assert "long upper tail" in said(slope_sd, OPTIONS)


def test_an_effect_is_averaged(honest):
    assert name(along(honest, ("prior of beta", 0.1, PRIOR), ("averaging", -0.5, AVERAGING))) == "averaged"


def test_a_prior_that_leads_everywhere_is_named(honest):
    priors = (("prior of beta", -3.3, PRIOR, -3.3, -2.3), ("priors of sd", 1.0, PRIOR, 0.0, 1.0))
    pulled = along(honest, *priors)
    assert name(pulled) == "prior-driven"
    assert "the prior of beta; steps: prior of beta −3.30" in said(pulled, OPTIONS)


def test_a_prior_that_leads_in_one_order_alone_is_not_named(honest):
    joint = along(honest, ("prior of beta", 0.4, PRIOR, 0.4, 0.1), ("priors of sd", 0.3, PRIOR, 0.3, 0.5))
    assert name(joint) == "prior-driven"
    assert "these priors jointly" in said(joint, OPTIONS)


def test_priors_through_whose_parameter(honest):
    pulled = along(replace(honest, label="ranef[g=a: x]"), ("prior of beta", 1.0, PRIOR))
    through = replace(pulled, steps=(replace(pulled.steps[0], through="beta[x]"),))
    assert "the prior of beta through beta[x]" in said(through, OPTIONS)


def test_merged_rungs_are_not_told_apart(honest):
    merged = along(honest, ("priors of sd + averaging over the variances", 0.6, MERGED))
    assert name(merged) == "prior-driven"
    assert "can't be told apart" in said(merged, OPTIONS)


def test_opposite_steps_that_matter_agree_by_cancellation(honest):
    assert name(along(honest, ("a", 0.5, PRIOR), ("b", -0.4, AVERAGING))) == "agree by cancellation"
    assert name(along(honest, ("a", 0.3, PRIOR), ("b", -0.1, AVERAGING))) == "agree"


def test_ml_is_not_remls_twin(slope_sd):
    assert (
        name(along(slope_sd, ("beta integrated", 0.5, ESTIMATE), ("integration", 0.1, SHAPE)))
        == "ML for REML"
    )


def test_a_difference_without_priors_has_no_cause(honest):
    assert name(along(honest, ("total difference, prior unknown", 0.6, UNKNOWN))) == "prior unknown"
    assert name(along(honest, ("total difference, prior unknown", 0.1, UNKNOWN))) == "agree"


def test_a_singular_term_is_the_boundary(slope_sd):
    gone = replace(slope_sd, estimate=0.0, term="(1 | g)", boundary="no variance along 1·Intercept")
    assert name(gone) == "boundary"
    assert "(1 | g) is singular" in said(gone, OPTIONS)


def test_two_computations_of_one_quantity_disagree(honest):
    apart = replace(honest, apart=2.0, twice="REML and the mode under flat priors")
    assert name(apart) == "disagree"
    assert "REML and the mode under flat priors differ" in said(apart, OPTIONS)


@pytest.mark.parametrize("spoilt", [{"mean": nan}, {"estimate": nan}, {"problem": "the fit stopped"}])
def test_a_failed_side_leaves_it_unresolved(honest, spoilt):
    evidence = replace(honest, **spoilt)
    assert name(evidence) == "unresolved"
    assert "Not compared" in said(evidence, OPTIONS)


def test_what_is_within_its_error_of_a_threshold_is_borderline(honest):
    near = replace(along(honest, ("averaging", 0.24, AVERAGING)), error=0.02)
    verdict, names = judge(near, OPTIONS)
    assert verdict.name == "borderline"
    assert set(names) == {"agree", "averaged"}
    assert said(near, OPTIONS).startswith("agree or averaged, within an error of 0.02 sd: ")
    wide = replace(honest, width_ratio=1.25, width_error=0.01)
    assert name(wide) == "borderline"
    assert said(wide, OPTIONS).startswith("agree or wider, within an error of 1 % of the width: ")


def test_thresholds_rule(honest):
    moved = along(honest, ("averaging", 0.2, AVERAGING))
    assert name(moved, VerdictOptions(tolerance=0.1)) == "averaged"
    assert name(moved) == "agree"


def test_every_class_has_its_place():
    order = precedence()
    assert {type(verdict) for verdict in order} == set(Verdict.kinds().values())
    assert [order[0].name, order[1].name] == ["disagree", "unresolved"]
    assert order[-1].name == "borderline"
    assert [verdict.name for verdict in order if not verdict.next_step] == ["agree"]


def test_a_verdict_of_ones_own_takes_its_place(honest):
    with forgotten(Verdict):

        class Odd(Verdict):
            name, meaning, good, place = "odd", "the difference is oddly large", True, 65

            def holds(self, e, o):
                return e.total > 5

            def sentence(self, e, o):
                return f"{e.source} {e.estimate} and {e.mean} are oddly apart."

        moved = along(honest, ("averaging", 7.0, AVERAGING))
        assert name(moved) == "odd"
        assert name(honest) == "agree"
    assert name(moved) == "averaged"


@pytest.mark.parametrize("verdict", precedence(), ids=lambda verdict: verdict.name)
def test_every_sentence_is_one_sentence_of_the_evidence(verdict, slope_sd):
    told = replace(slope_sd, problem="the fit stopped", term="T", boundary="no variance", twice="REML and ML")
    text = verdict.sentence(along(told, ("prior of beta", 0.5, PRIOR)), OPTIONS)
    assert text.endswith(".")
    assert "nan" not in text


sizes = st.floats(-3, 3)


@st.composite
def evidences(draw):
    steps = draw(st.lists(st.tuples(sizes, st.sampled_from(KINDS), sizes, sizes), min_size=1, max_size=5))
    made = tuple(Step(f"cause {i}", size, kind, *both) for i, (size, kind, *both) in enumerate(steps))
    scale, estimate = draw(st.floats(0.01, 100)), draw(st.floats(-100, 100))
    mean = estimate + scale * sum(step.size for step in made)
    ratio, error = draw(st.floats(0.3, 4)), draw(st.floats(0, 0.02))
    return Evidence("x", "beta", "REML", estimate, mean, scale, made, error, ratio, error)


@given(evidences())
def test_every_evidence_has_one_verdict(evidence):
    verdict, names = judge(evidence, OPTIONS)
    assert (verdict.name == "borderline") == (len(names) > 1)
    assert verdict.name in ("borderline", *names)


@given(evidences())
def test_a_reflected_effect_gets_the_same_verdict(evidence):
    turned = tuple(
        replace(step, size=-step.size, alone=-step.alone, away=-step.away) for step in evidence.steps
    )
    other = replace(evidence, estimate=-evidence.estimate, mean=-evidence.mean, steps=turned)
    if abs(evidence.total) > 1e-9:
        assert set(judge(other, OPTIONS)[1]) == set(judge(evidence, OPTIONS)[1])


@given(evidences())
def test_the_leading_steps_are_of_one_kind_and_go_its_way(evidence):
    leading = evidence.leading
    assert len({step.kind for step in leading}) == 1
    together = sum(step.size for step in leading)
    assert together * evidence.total >= 0 or abs(evidence.total) < 1e-9


@given(evidences())
def test_larger_tolerance_never_spoils_agreement(evidence):
    if name(evidence) == "agree":
        assert name(evidence, VerdictOptions(tolerance=0.5)) == "agree"

"""Recognising results, the long table, and what a reader gets to see."""

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import pytest

from bayeslmm.datasets import load_dataset
from bayeslmm.errors import InputError
from bayeslmm.estimands.table import EstimateTable
from bayeslmm.parity.compare import compare
from bayeslmm.parity.table import COLUMNS
from bayeslmm.posterior.options import SampleOptions
from bayeslmm.posterior.sample import sample
from bayeslmm.spec.build import build
from bayeslmm.spec.model_spec import ModelSpec
from bayeslmm.spec.priors import default_priors


@dataclass(frozen=True)
class Result:
    """The least an engine's result can be."""

    table: EstimateTable
    design: object = None

    def estimates(self, prob=0.95, ranef=False):
        return replace(self.table, prob=prob)


def test_any_order_gives_the_same_table(reml, bootstrap, posterior):
    first = compare(reml, bootstrap, posterior).table
    assert first.columns.tolist() == list(COLUMNS)
    pd.testing.assert_frame_equal(first, compare(posterior, reml, bootstrap).table)


def test_one_row_per_estimand_and_interval(reml, bootstrap, posterior):
    table = compare(reml, bootstrap, posterior).table
    assert len(table) == len(reml) + len(bootstrap)
    days = table[table["label"] == "beta[Days]"]
    assert days["interval"].tolist() == ["wald", "percentile"]
    assert set(table["prob"]) == {0.95}
    assert table["kind"].tolist() == sorted(table["kind"], key=["beta", "sd", "cor", "sigma", "ranef"].index)


def test_differences_are_in_standard_errors(reml, posterior):
    row = compare(reml, posterior).table.set_index("label").loc["sd[Subject: Days]"]
    assert row["std_diff"] == pytest.approx((6.57 - 5.92) / 1.25)
    assert row["std_diff_mcse"] == pytest.approx(0.02 / 1.25)
    assert row["width_ratio"] == pytest.approx((10.1 - 4.15) / (8.4 - 3.5))
    assert row["overlap"] == pytest.approx((8.4 - 4.15) / (10.1 - 3.5))
    assert row["post_interval"] == "eti"


def test_tables_alone_have_no_causes(reml, bootstrap, posterior):
    par = compare(reml, bootstrap, posterior)
    assert par.verdicts["sd[Subject: Days]"] == "prior unknown"
    assert par.verdicts["beta[Days]"] == "agree"
    assert "5.92" in par.verdicts.sentence("sd[Subject: Days]")
    assert par.verdicts.counts == {"agree": 6, "prior unknown": 1, "borderline": 1}
    assert not par.verdicts.explained
    assert par.verdicts.headline in repr(par)
    assert "sd[Subject: Days]" in par._repr_html_()


def test_a_shifted_response_shows_in_the_intercept_alone(reml, posterior):
    frame = posterior.frame.copy()
    frame.loc["beta[Intercept]", ["mean", "median", "lower", "upper"]] += 100
    verdicts = compare(reml, replace(posterior, frame=frame)).verdicts
    assert verdicts["beta[Intercept]"] == "prior unknown"
    assert verdicts.counts["prior unknown"] == 2
    assert not verdicts.explained


def test_names_map_foreign_labels(reml, posterior):
    foreign = posterior.relabel({"beta[Days]": "b_Days", "sigma": "sigma_y"})
    par = compare(reml, foreign, names={"b_Days": "beta[Days]", "sigma_y": "sigma"})
    pd.testing.assert_frame_equal(par.table, compare(reml, posterior).table)


def test_what_only_one_side_has_is_unresolved(reml, posterior):
    less = replace(posterior, frame=posterior.frame.drop(index="sigma"))
    fewer = replace(reml, frame=reml.frame.drop(index="beta[Days]"))
    par = compare(fewer, less)
    assert par.verdicts["sigma"] == "unresolved"
    assert par.verdicts["beta[Days]"] == "unresolved"
    assert set(par.table["label"]) == set(reml.labels)


@pytest.mark.parametrize(("present", "missing"), [("reml", "posterior"), ("posterior", "estimate")])
def test_a_side_may_be_missing(request, present, missing):
    par = compare(request.getfixturevalue(present))
    assert set(par.verdicts.frame["verdict"]) == {"unresolved"}
    assert len(par.table) == 8
    assert repr(par).startswith(f"None of 8 estimands is compared: there is no {missing}; give ")
    assert len(repr(par).splitlines()) == 1


def test_relabelling_does_not_change_verdicts(reml, bootstrap, posterior):
    names = {label: f"z{number:02d}" for number, label in enumerate(reml.labels)}
    renamed = compare(*(table.relabel(names) for table in (reml, bootstrap, posterior)))
    plain = compare(reml, bootstrap, posterior)
    assert renamed.verdicts.frame["verdict"].tolist() == plain.verdicts.frame["verdict"].tolist()


@pytest.mark.parametrize("unit", [1e-6, 1000.0])
def test_units_do_not_change_verdicts(reml, posterior, unit):
    def scaled(table, columns):
        frame = table.frame.copy()
        frame.loc[frame["kind"] != "cor", columns] *= unit
        return replace(table, frame=frame)

    ends = ["lower", "upper"]
    other = compare(
        scaled(reml, ["estimate", "se", *ends]), scaled(posterior, ["mean", "median", "sd", "mcse", *ends])
    )
    assert other.verdicts.frame["verdict"].equals(compare(reml, posterior).verdicts.frame["verdict"])


@pytest.mark.parametrize(
    ("results", "message"),
    [
        (lambda r, p: (), "no results"),
        (lambda r, p: (r, r, p), "two results"),
        (lambda r, p: (r, "posterior"), "not a str"),
        (lambda r, p: (r, replace(p, prob=0.9)), "intervals"),
    ],
)
def test_what_cannot_be_compared_is_refused(reml, posterior, results, message):
    with pytest.raises(InputError, match=message):
        compare(*results(reml, posterior))


def test_prob_is_a_probability(reml):
    with pytest.raises(InputError, match="between 0 and 1"):
        compare(reml, prob=95)


def design(formula="Yield ~ 1 + (1 | Batch)", name="Dyestuff"):
    return build(ModelSpec(formula), load_dataset(name)).design


def test_different_data_or_models_are_refused(reml, posterior):
    ours = design()
    compare(Result(reml, ours), Result(posterior, design()))
    with pytest.raises(InputError, match="different data"):
        compare(Result(reml, ours), Result(posterior, design(name="Dyestuff2")))
    with pytest.raises(InputError, match="different models"):
        compare(Result(reml, ours), Result(posterior, design("Yield ~ 1")))


@pytest.mark.parametrize("asked", ["certificate", "ladder", "widths"])
def test_tables_alone_have_no_certificate_and_no_ladder(reml, posterior, asked):
    with pytest.raises(InputError, match="only tables"):
        getattr(compare(reml, posterior), asked)


def test_results_are_asked_for_the_probability(reml, posterior):
    par = compare(Result(reml), Result(posterior), prob=0.5)
    assert set(par.table["prob"]) == {0.5}


def test_the_manifest_tells_the_options(reml):
    par = compare(Result(reml, design()))
    assert par.manifest.options["prob"] == 0.95
    assert par.manifest.options["verdicts"]["tolerance"] == 0.25
    assert len(par.manifest.data_hash) == 64


def test_the_manifest_tells_what_was_bootstrapped(bootstrap):
    par = compare(Resampled(bootstrap, design()))
    assert par.manifest.options["bootstrap"] == {"kind": "parametric", "n": 2000}
    assert par.manifest.seeds == {"bootstrap": 7}


@dataclass(frozen=True)
class Resampled(Result):
    kind: str = "parametric"
    n: int = 2000
    seed: int = 7


def test_a_number_that_is_missing_stays_missing(reml, posterior):
    frame = reml.frame.copy()
    frame.loc["sigma", ["se", "lower", "upper"]] = np.nan
    par = compare(replace(reml, frame=frame), posterior)
    row = par.table.set_index("label").loc["sigma"]
    assert np.isnan(row[["std_diff", "overlap", "width_ratio"]].to_numpy(float)).all()
    assert par.verdicts["sigma"] == "agree"


def test_a_posterior_alone_is_certified_with_its_known_sigma():
    design = build(
        ModelSpec("Reaction ~ Days + (1 | Subject)", sigma=30.0), load_dataset("sleepstudy")
    ).design
    options = SampleOptions(draws=50, chains=2, seed=1, method="importance", progress=False)
    parity = compare(sample(design, default_priors(design), options))
    assert parity.certificate.passed
    assert set(parity.certificate.points["sigma"]) == {30.0}


def test_a_known_and_a_free_sigma_arent_one_model(reml, posterior):
    free, known = (
        build(ModelSpec("Reaction ~ Days + (1 | Subject)", sigma=sigma), load_dataset("sleepstudy")).design
        for sigma in (None, 30.0)
    )
    with pytest.raises(InputError, match="model"):
        compare(Result(reml, free), Result(posterior, known))

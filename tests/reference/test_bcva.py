"""The trial of visual acuity: both columns of openpharma's published comparison, from one specification.

The posterior's priors are brms.mmrm's: flat on β, next to flat on log standard deviations, LKJ(1).
"""

import json
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import bayeslmm as bl
from bayeslmm.posterior.result import PosteriorResult

pytestmark = [pytest.mark.slow, pytest.mark.timeout(3600)]

PUBLISHED = json.loads((Path(__file__).parent / "mmrm" / "bcva_bayesian_and_frequentist.json").read_text())
PRIORS = {"cor": bl.LKJ(1.0), "sd": bl.LogNormal(0.0, 2.5), "sigma": bl.LogNormal(0.0, 2.5)}
STOPPED = 1e-4  # of theirs: the last digit printed, and where their search stops
DRAWS = 0.2  # posterior sds between two means of a thousand independent draws each, at the most of 78
NAMES = {
    r"intercept": "beta[Intercept]",
    r"bcva_bl": "beta[BCVA_BL]",
    r"raceblack": "beta[RACE[T.Black]]",
    r"racewhite": "beta[RACE[T.White]]",
    r"avisit(\d+)": "beta[AVISIT[T.{}]]",
    r"avisit(\d+):armcdtrt": "beta[AVISIT[{}]:ARMCD[T.TRT]]",
    r"sigma_avisit(\d+)": "sd[AVISIT: {}]",
    r"correlation_vis(\d+)_vis(\d+)": "cor[AVISIT: {}, {}]",
}


@cache
def trial() -> bl.LinearMixedModel:
    return bl.LinearMixedModel(
        "BCVA_CHG ~ BCVA_BL + AVISIT + AVISIT:ARMCD + RACE",
        bl.load_dataset("bcva"),
        correlation=bl.correlation.Unstructured("AVISIT | USUBJID"),
        variance=bl.variance.Ident("AVISIT"),
    )


@cache
def posterior() -> PosteriorResult:
    return trial().with_priors(PRIORS).sample(seed=1, progress=False)


def label(name: str) -> str:
    """Ours for theirs."""
    found = ((re.fullmatch(pattern, name), ours) for pattern, ours in NAMES.items())
    return next(ours.format(*(f"VIS{int(k):02d}" for k in own.groups())) for own, ours in found if own)


def published(part: str, paradigm: str) -> "pd.Series[float]":
    return pd.Series({label(name): both[paradigm] for name, both in PUBLISHED[part].items()})


def columns() -> Iterator[tuple[str, str, str]]:
    yield "estimates", "estimate", "mean"
    yield "standard_errors", "se", "sd"


@pytest.mark.parametrize(("part", "column", "_"), list(columns()))
def test_the_likelihoods_column(part: str, column: str, _: str) -> None:
    theirs = published(part, "frequentist")
    ours = trial().fit().estimates().frame[column].reindex(theirs.index)
    np.testing.assert_allclose(ours, theirs, atol=STOPPED, rtol=0)


@pytest.mark.parametrize(("part", "_", "column"), list(columns()))
def test_the_posteriors_column(part: str, _: str, column: str) -> None:
    theirs, frame = published(part, "bayesian"), posterior().estimates().frame
    ours, sd = (frame[name].reindex(theirs.index) for name in (column, "sd"))
    assert np.max(np.abs(ours - theirs) / sd) < DRAWS


def test_importance_serves_55_parameters() -> None:
    post = posterior()
    assert post.method == "importance"
    assert post.estimates().frame["ess_bulk"].min() > 1000


def test_published_differences_are_what_integration_and_priors_make() -> None:
    """Priors lower every standard deviation by a little, averaging raises it by more: theirs are larger."""
    par = bl.compare(trial().fit(), posterior())
    step = par.ladder.set_index(["label", "rung"])["step"]
    theirs = published("estimates", "bayesian") - published("estimates", "frequentist")
    se = trial().fit().estimates().frame["se"]
    for visit in range(1, 11):
        label = f"sd[AVISIT: VIS{visit:02d}]"
        priors, integration = step[label]["prior of sigma":"priors of phi"].sum(), step[label]["mean"]
        assert priors < 0 < -priors < integration
        assert abs(priors + integration - theirs[label]) < DRAWS / 2 * se[label]

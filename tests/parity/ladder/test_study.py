"""The averages move with a seed by no more than they tell."""

import numpy as np
import pytest

import bayeslmm
from bayeslmm.posterior.methods import averages
from tests.parity.ladder.studies import study_from


@pytest.mark.parametrize(
    "prior", [bayeslmm.Uniform(240, 250), bayeslmm.TruncatedNormal(250, 10, 252, 262)], ids=["even", "normal"]
)
def test_a_bounded_prior_of_beta_has_the_moments_of_a_truncated_normal(prior):
    """With sigma known: proposals cross the bounds, and beta stays among what is free."""
    from scipy.stats import truncnorm

    rows = bayeslmm.load_dataset("sleepstudy").query("Days == 0")
    model = bayeslmm.LinearMixedModel("Reaction ~ 1", rows, priors={"beta": prior}, sigma=30.0)
    study = study_from(model)
    mean, precision = rows["Reaction"].mean(), len(rows) / 30.0**2
    if isinstance(prior, bayeslmm.TruncatedNormal):
        both = precision + 1 / prior.sd**2
        mean, precision = (precision * mean + prior.mean / prior.sd**2) / both, both
    sd = precision**-0.5
    exact = truncnorm((prior.lower - mean) / sd, (prior.upper - mean) / sd, mean, sd)
    error = study.averages.error(study.means)[0]
    assert error < 0.02 * exact.std()
    assert study.means(study.averages.components)[0] == pytest.approx(exact.mean(), abs=error)
    assert study.sd[0] == pytest.approx(exact.std(), rel=0.02)


def test_averages_are_those_of_the_smaller_error(monkeypatch):
    """A rule that is nearly fine isn't given up for weighted points that are worse."""
    model = bayeslmm.LinearMixedModel(
        "Yield ~ 1 + (1 | Batch)", bayeslmm.load_dataset("Dyestuff"), priors={"sd": bayeslmm.HalfCauchy(25)}
    )
    monkeypatch.setattr(averages, "FINE", 0.0)
    monkeypatch.setattr(averages, "BATCHES", (128,))
    monkeypatch.setattr(averages, "FEWEST", 50)
    study = study_from(model)
    assert "quadrature" in study.averages.how


@pytest.mark.slow
def test_seeds_of_weighted_points_stay_within_the_error_told():
    model = bayeslmm.LinearMixedModel(
        "score ~ Machine + (0 + Machine | Worker)", bayeslmm.load_dataset("Machines")
    )
    studies = [study_from(model, seed=seed) for seed in range(12)]
    means = np.array([study.means(study.averages.components) for study in studies])
    errors = np.array([study.averages.error(study.means) for study in studies])
    assert "weighted points" in studies[0].averages.how
    apart = np.abs(means - means.mean(axis=0))
    assert np.mean(apart > errors + 1e-6 * studies[0].sd) < 0.02
    assert np.max(errors / studies[0].sd) < 0.03

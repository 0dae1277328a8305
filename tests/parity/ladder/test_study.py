"""The averages move with a seed by no more than they tell."""

import numpy as np
import pytest

import bayeslmm
from tests.parity.ladder.studies import study_from


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

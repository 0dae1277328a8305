"""Errors and limits that aren't numbers say why, once."""

import warnings

import numpy as np
import pandas as pd
import pytest

import bayeslmm as bl
from bayeslmm.errors import IntervalWarning, SingularFitWarning


def one_way(spread: float) -> pd.DataFrame:
    """Six groups of five rows whose means lie a little farther apart than their residuals alone would."""
    rng = np.random.default_rng(4)
    g, e = np.repeat(np.arange(6), 5), rng.normal(size=30)
    e -= np.repeat(e.reshape(6, 5).mean(axis=1), 5)
    within = np.sqrt(np.sum(e**2) / 24)
    means = np.array([-5, -3, -1, 1, 3, 5]) / np.sqrt(14)
    return pd.DataFrame({"y": e + within / np.sqrt(5) * spread * means[g], "g": g})


def test_a_limit_beyond_all_numbers_is_told():
    fit = bl.LinearMixedModel("y ~ 1 + (1 | g)", one_way(1 + 1e-5)).fit()
    assert not fit.is_singular
    with pytest.warns(IntervalWarning, match=r"sd\[g: Intercept\]: with limits beyond") as told:
        table = fit.estimates()
    assert len(told) == 1
    assert np.isinf(table.row("sd[g: Intercept]")["upper"])
    assert "sd[g: Intercept]" in table.notes[0] and table.notes[0] in repr(table)
    with pytest.warns(IntervalWarning):
        assert fit.confint("wald").attrs["notes"] == table.notes


def test_a_boundary_is_noted_without_a_second_warning():
    with pytest.warns(SingularFitWarning):
        fit = bl.LinearMixedModel("y ~ 1 + (1 | g)", one_way(0.5)).fit()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        table = fit.estimates()
    assert [note.partition(":")[0] for note in table.notes] == ["sd[g"]
    assert "boundary" in table.notes[0]


def test_numbers_need_no_notes():
    assert bl.LinearMixedModel("y ~ 1 + (1 | g)", one_way(3.0)).fit().estimates().notes == ()

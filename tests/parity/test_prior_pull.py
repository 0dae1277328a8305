"""The first-order pull of priors, against a posterior known in closed form."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from bayeslmm.parity.prior_pull import prior_pull
from bayeslmm.spec.covariance import Unstructured
from bayeslmm.spec.priors import LKJ, Flat, HalfNormal, Normal

KNOWN_SIGMA = SimpleNamespace(sigma_free=False)


def one_parameter():
    return SimpleNamespace(coefs=("x",), blocks=(), covariance=None, residual=KNOWN_SIGMA)


def test_a_normal_mean_is_pulled_as_the_textbook_says():
    """Likelihood N(4, 2²), prior N(0, 3²): mean 4·9/13, variance 36/13, pull -16/13."""
    variance = 36 / 13
    draws = np.sqrt(variance) * standard_normal_quantiles(4001)
    frame = pd.DataFrame({"beta[x]": 4 * 9 / 13 + draws})
    priors = SimpleNamespace(beta=(Normal(0.0, 3.0),), sd={}, cor={})
    pull = prior_pull(frame, one_parameter(), priors, pd.Series({"beta[x]": 4.0}))
    assert pull["beta[x]"] == pytest.approx(4 * 9 / 13 - 4, rel=0.02)


def standard_normal_quantiles(n):
    from scipy.special import ndtri

    return ndtri((np.arange(n) + 0.5) / n)


def grouped(names=("a", "b")):
    block = SimpleNamespace(group="g", coefs=names, structures=(Unstructured(2),))
    covariance = SimpleNamespace(sd_names=lambda number: names, cor_names=lambda number: (", ".join(names),))
    return SimpleNamespace(coefs=(), blocks=(block,), covariance=covariance, residual=KNOWN_SIGMA)


LABELS = ["sd[g: a]", "sd[g: b]", "cor[g: a, b]"]


def test_a_correlation_is_pulled_towards_zero_and_only_it():
    rng = np.random.default_rng(1)
    draws = pd.DataFrame(
        rng.multivariate_normal([1, 1, 0.5], np.diag([0.01, 0.01, 0.04]), 20_000), columns=LABELS
    )
    priors = SimpleNamespace(beta=(), sd={"g": (Flat(), Flat())}, cor={"g": LKJ(2.0)})
    pull = prior_pull(draws, grouped(), priors, pd.Series([1.0, 1.0, 0.8], index=LABELS))
    assert pull["cor[g: a, b]"] == pytest.approx(0.04 * -2 * 0.8 / (1 - 0.64), rel=0.05)
    assert abs(pull["sd[g: a]"]) < 0.02


def test_a_boundary_has_no_slope():
    draws = pd.DataFrame(np.random.default_rng(1).normal(1, 0.1, (100, 3)), columns=LABELS)
    priors = SimpleNamespace(beta=(), sd={"g": (HalfNormal(1.0), Flat())}, cor={"g": LKJ(2.0)})
    pull = prior_pull(draws, grouped(), priors, pd.Series([0.0, 1.0, np.nan], index=LABELS))
    assert set(pull) == set(LABELS[:2])
    assert all(map(np.isfinite, pull.values()))

"""Planted evidence: what two honest engines say of one estimand, to be spoilt by each test."""

from dataclasses import replace
from math import nan

import pandas as pd
import pytest

from bayeslmm.estimands.table import EstimateTable
from bayeslmm.parity.verdicts.evidence import AVERAGING, PRIOR, SHAPE, Evidence, Step

HONEST = Evidence(
    label="beta[Days]",
    kind="beta",
    source="REML",
    estimate=10.47,
    mean=10.49,
    scale=1.72,
    steps=(Step("prior of sigma", 0.0, PRIOR), Step("averaging over the variances", 0.02 / 1.72, AVERAGING)),
    error=0.002,
    width_ratio=1.05,
    width_error=0.001,
    best="t",
)

# The sleepstudy slope's standard deviation: REML 5.92, mode with priors 5.93, mean 6.57.
SLOPE_SD = replace(
    HONEST,
    label="sd[Subject: Days]",
    kind="sd",
    estimate=5.92,
    mean=6.57,
    scale=1.52,
    steps=(Step("priors of cor", 0.01 / 1.52, PRIOR), Step("integration", 0.64 / 1.52, SHAPE)),
    width_ratio=nan,
    best="",
)


@pytest.fixture(scope="session")
def honest():
    return HONEST


@pytest.fixture(scope="session")
def slope_sd():
    return SLOPE_SD


LIKELIHOOD = pd.DataFrame(
    {
        "kind": ["beta", "beta", "sd", "sd", "cor", "sigma", "ranef", "ranef"],
        "estimate": [251.41, 10.47, 24.74, 5.92, 0.066, 25.59, 2.26, 9.20],
        "se": [6.82, 1.55, 5.8, 1.25, 0.33, 1.5, 12.1, 2.3],
        "lower": [238.0, 7.44, 13.4, 3.5, -0.58, 22.6, -21.4, 4.7],
        "upper": [264.8, 13.5, 36.1, 8.4, 0.71, 28.5, 25.9, 13.7],
    },
    index=[
        "beta[Intercept]",
        "beta[Days]",
        "sd[Subject: Intercept]",
        "sd[Subject: Days]",
        "cor[Subject: Intercept, Days]",
        "sigma",
        "ranef[Subject=308: Intercept]",
        "ranef[Subject=308: Days]",
    ],
)

POSTERIOR = pd.DataFrame(
    {
        "kind": LIKELIHOOD["kind"],
        "mean": [251.4, 10.49, 26.0, 6.57, 0.09, 25.8, 2.4, 9.25],
        "median": [251.4, 10.49, 25.6, 6.40, 0.08, 25.75, 2.3, 9.24],
        "sd": [7.4, 1.72, 6.6, 1.52, 0.29, 1.57, 12.9, 2.6],
        "lower": [236.8, 7.05, 14.4, 4.15, -0.45, 23.0, -23.0, 4.2],
        "upper": [266.0, 13.93, 40.2, 10.1, 0.65, 29.1, 27.8, 14.4],
        "mcse": [0.1, 0.03, 0.1, 0.02, 0.005, 0.02, 0.2, 0.04],
        "ess_bulk": 3500.0,
        "ess_tail": 2900.0,
        "r_hat": 1.001,
    },
    index=LIKELIHOOD.index,
)


@pytest.fixture(scope="session")
def reml():
    return EstimateTable(LIKELIHOOD, "REML", "wald", 0.95)


@pytest.fixture(scope="session")
def bootstrap():
    frame = LIKELIHOOD[LIKELIHOOD["kind"] != "ranef"].assign(bias=0.0, n_ok=2000)
    return EstimateTable(frame, "bootstrap", "percentile", 0.95)


@pytest.fixture(scope="session")
def posterior():
    return EstimateTable(POSTERIOR, "posterior", "eti", 0.95)

"""Simulation-based calibration: parameters drawn from the priors have uniform ranks among posterior draws.

The priors and the data come from the explicit PyMC graph, the posterior draws from `sample`. A full study is

    BAYESLMM_SIMULATIONS=500 python -m pytest -m slow tests/posterior/test_calibration.py

and writes its ranks to the file named by BAYESLMM_RANKS, if there is one.
"""

import os
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import simuk
from scipy.stats import kstest

import bayeslmm as bl
from bayeslmm.posterior.graphs import build_graph
from bayeslmm.posterior.options import SampleOptions
from bayeslmm.posterior.sample import sample

SIMULATIONS = int(os.environ.get("BAYESLMM_SIMULATIONS", "20"))
VARIABLES = ["beta", "sd_g", "cor_g", "sd_h", "sigma", "ranef_g", "ranef_h"]
PRIORS = {
    "beta": bl.Normal(0, 2),
    "sd": bl.HalfNormal(1),
    "sigma": bl.HalfNormal(1),
    "cor": bl.LKJ(2),
}


def model():
    """Two terms: correlated slopes for 12 levels, crossed with intercepts for 8."""
    rng = np.random.default_rng(4)
    n = 96
    frame = pd.DataFrame(
        {
            "y": rng.standard_normal(n),
            "x": rng.standard_normal(n),
            "g": [f"g{i % 12}" for i in range(n)],
            "h": [f"h{i % 8}" for i in rng.permutation(n)],
        }
    )
    return bl.LinearMixedModel("y ~ x + (x | g) + (1 | h)", frame, priors=PRIORS)


class Calibration(simuk.SBC):
    """simuk's loop around our sampler."""

    def __init__(self, subject, **options):
        self.subject = subject
        graph = build_graph(subject.design, subject.priors, "explicit")
        super().__init__(graph, **options)
        self.var_names = VARIABLES
        self.simulations = {name: [] for name in VARIABLES}

    def _get_posterior_samples(self, replicated_data):
        design = replace(self.subject.design, y=np.asarray(replicated_data["y"], dtype=float))
        seed = int(self._seeds[self._simulations_complete])
        options = SampleOptions(draws=60, tune=600, chains=4, seed=seed, progress=False)
        post = sample(design, self.subject.priors, options)
        return post.data["posterior"].to_dataset().stack(sample=("chain", "draw"))


@pytest.mark.slow
@pytest.mark.timeout(36_000)
def test_ranks_are_uniform():
    study = Calibration(model(), num_simulations=SIMULATIONS, seed=20, keep_fits=False, progress_bar=False)
    study.run_simulations()
    ranks = study.simulations["prior_sbc"].to_dataset()
    if path := os.environ.get("BAYESLMM_RANKS"):
        np.savez(path, **{name: ranks[name].values for name in VARIABLES})
    columns = np.hstack([ranks[name].values[0].reshape(SIMULATIONS, -1) for name in VARIABLES])
    assert columns.shape == (SIMULATIONS, 2 + 2 + 1 + 1 + 1 + 24 + 8)
    unit = (columns + np.random.default_rng(1).uniform(size=columns.shape)) / 241
    least = min(kstest(column, "uniform").pvalue for column in unit.T)
    assert least > 1e-3 / columns.shape[1]

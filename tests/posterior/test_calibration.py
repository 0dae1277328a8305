"""Simulation-based calibration: parameters drawn from the priors have uniform ranks among posterior draws.

The priors and the data come from the explicit PyMC graph, the posterior draws from `sample`. A full study is

    BAYESLMM_SIMULATIONS=500 python -m pytest -m slow tests/posterior/test_calibration.py

It is made of pieces of PIECE simulations, each with its own seed. Where BAYESLMM_RANKS names a folder, the
ranks of every piece are kept there, and a study that was stopped goes on with the pieces that are missing.
"""

import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import simuk
from scipy.stats import kstest

import bayeslmm as bl
from bayeslmm.posterior.graph.graphs import build_graph
from bayeslmm.posterior.options import SampleOptions
from bayeslmm.posterior.sample import sample

SIMULATIONS = int(os.environ.get("BAYESLMM_SIMULATIONS", "20"))
PIECE = 20
DRAWS = 240  # of a posterior: ranks are 0 .. 240
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
        self.methods = []

    def _get_posterior_samples(self, replicated_data):
        design = self.subject.design.with_response(np.asarray(replicated_data["y"], dtype=float))
        seed = int(self._seeds[self._simulations_complete])
        options = SampleOptions(draws=DRAWS // 4, tune=600, chains=4, seed=seed, progress=False)
        post = sample(design, self.subject.priors, options)
        self.methods.append(post.method)
        return post.data["posterior"].to_dataset().stack(sample=("chain", "draw"))


def piece(subject, number):
    """Ranks (PIECE, quantities) of one piece, and the methods that drew."""
    study = Calibration(subject, num_simulations=PIECE, seed=20 + number, keep_fits=False, progress_bar=False)
    study.run_simulations()
    ranks = study.simulations["prior_sbc"].to_dataset()
    columns = [ranks[name].values[0].reshape(PIECE, -1) for name in VARIABLES]
    return {"ranks": np.hstack(columns), "methods": np.array(study.methods)}


def kept_piece(subject, number, folder):
    """A piece from the folder, made and put there if it isn't yet."""
    path = Path(folder) / f"{number:03}.npz"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        np.savez(path, **piece(subject, number))
    return dict(np.load(path))


@pytest.mark.slow
@pytest.mark.timeout(36_000)
def test_ranks_are_uniform():
    subject, folder = model(), os.environ.get("BAYESLMM_RANKS")
    numbers = range(SIMULATIONS // PIECE)
    pieces = [kept_piece(subject, i, folder) if folder else piece(subject, i) for i in numbers]
    ranks = np.concatenate([each["ranks"] for each in pieces])
    assert ranks.shape == (PIECE * len(numbers), 2 + 2 + 1 + 1 + 1 + 24 + 8)
    unit = (ranks + np.random.default_rng(1).uniform(size=ranks.shape)) / (DRAWS + 1)
    least = min(kstest(column, "uniform").pvalue for column in unit.T)
    assert least > 1e-3 / ranks.shape[1]

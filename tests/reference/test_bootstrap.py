"""Parametric bootstrap against lme4's `bootMer`, within the Monte Carlo error of both."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from bayeslmm.datasets import load_dataset
from bayeslmm.likelihood.bootstrap.result import Bootstrap
from bayeslmm.likelihood.fit import fit
from bayeslmm.likelihood.fitted import FitOptions
from bayeslmm.spec.build import build
from bayeslmm.spec.model_spec import ModelSpec

REFERENCES = sorted((Path(__file__).parent / "bootstrap").glob("*.json"))
N = 4000
SIGMAS = 4.5  # standard errors of the difference that are allowed, over about 150 comparisons


@pytest.fixture(scope="module", params=REFERENCES, ids=lambda path: path.stem)
def case(request: pytest.FixtureRequest) -> tuple[dict[str, Any], Bootstrap]:
    theirs = json.loads(request.param.read_text())
    design, _ = build(ModelSpec(theirs["formula"]), load_dataset(theirs["dataset"]))
    result = fit(design, FitOptions("REML" if theirs["reml"] else "ML"))
    return theirs, result.bootstrap(n=N, seed=20240602, progress=False)


def ours(boot: Bootstrap, names: list[str]) -> pd.DataFrame:
    """Draws in lme4's order: beta, then sd and cor by decreasing number of levels, sigma."""
    fixed = [label for label in boot.labels if label.startswith("beta")]
    blocks = sorted(boot.design.blocks, key=lambda block: -block.n_levels)
    random = [
        label
        for block in blocks
        for label in boot.labels
        if label.startswith((f"sd[{block.group}: ", f"cor[{block.group}: "))
    ]
    draws = boot.draws[[*fixed, *random, "sigma"]]
    assert [label[:2] for label in draws if label[:2] in ("sd", "co")] == [
        name[:2] for name in names if "|" in name
    ]
    return draws


def test_estimates(case: tuple[dict[str, Any], Bootstrap]) -> None:
    theirs, boot = case
    order = ours(boot, theirs["names"]).columns
    np.testing.assert_allclose(boot.estimates().frame.loc[order, "estimate"], theirs["estimate"], rtol=2e-5)


def test_means_and_sds(case: tuple[dict[str, Any], Bootstrap]) -> None:
    theirs, boot = case
    draws = ours(boot, theirs["names"])
    sd = draws.std().to_numpy()
    of_mean = sd * np.sqrt(1 / theirs["nsim"] + 1 / N)
    assert np.abs((draws.mean() - theirs["boot_mean"]) / of_mean).max() < SIGMAS
    kurtosis = np.maximum(draws.kurt(), 0) + 2
    of_sd = sd * np.sqrt(kurtosis / 4 * (1 / theirs["nsim"] + 1 / N))
    assert np.abs((sd - theirs["boot_sd"]) / of_sd).max() < SIGMAS


def test_quantiles(case: tuple[dict[str, Any], Bootstrap]) -> None:
    """Their quantiles are ours: the share of our draws below one is its probability."""
    theirs, boot = case
    draws = ours(boot, theirs["names"])
    for quantiles, (_, column) in zip(theirs["quantiles"], draws.items(), strict=True):
        values = column.dropna().to_numpy()
        for prob, quantile in zip(theirs["quantile_probs"], quantiles, strict=True):
            # their derivative-free search stops a little above 0: below 1e-3 any order among draws is chance
            if quantile > 1e-3:
                error = np.sqrt(prob * (1 - prob) * (1 / theirs["nsim"] + 1 / len(values)))
                assert abs(np.mean(values <= quantile) - prob) < SIGMAS * error


def test_zeros(case: tuple[dict[str, Any], Bootstrap]) -> None:
    """Every estimate they find at 0 is one here; those they leave at 1e-5 are too."""
    theirs, boot = case
    zeros = (ours(boot, theirs["names"]) == 0).mean().to_numpy()
    least = np.array(theirs["fraction_zero"])
    error = np.sqrt(np.maximum(least * (1 - least), 1e-4) * (1 / theirs["nsim"] + 1 / N))
    assert (zeros > least - SIGMAS * error).all()
    assert not boot.failed.any()

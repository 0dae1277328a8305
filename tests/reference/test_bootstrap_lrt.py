"""The bootstrap likelihood-ratio test against pbkrtest's PBmodcomp, within the Monte Carlo error of both."""

import json
from pathlib import Path

import numpy as np
import pytest

import bayeslmm as bl

CASES = [
    (path.stem, reference)
    for path in sorted((Path(__file__).parent / "comparison").glob("*.json"))
    if "pb_modcomp" in (reference := json.loads(path.read_text())) and not reference["transforms"]
]
N = 500
SIGMAS = 4.0  # standard errors of the difference that are allowed, over about 40 comparisons


@pytest.fixture(scope="module", params=CASES, ids=[name for name, _ in CASES])
def case(request):
    reference = request.param[1]
    data = bl.load_dataset(reference["dataset"])
    small, big = (bl.LinearMixedModel(reference[which], data) for which in ("small", "large"))
    return reference["pb_modcomp"], bl.bootstrap_lrt(small, big, n=N, seed=20240603, progress=False)


def close(ours, theirs, n, m):
    """Two shares of n and m draws, no further apart than chance allows."""
    share = (ours * n + theirs * m + 1) / (n + m + 2)
    return abs(ours - theirs) <= SIGMAS * np.sqrt(share * (1 - share) * (1 / n + 1 / m)) + 1 / n


def test_statistic(case):
    theirs, ours = case
    assert ours.statistic == pytest.approx(theirs["lrt"], abs=2e-5)
    assert ours.df == theirs["lrt_df"]
    assert ours.p_chisq == pytest.approx(theirs["p_chisq"], rel=1e-4)


def test_p_values(case):
    theirs, ours = case
    assert close(ours.p, theirs["p_boot_all_draws"], N, theirs["nsim"])
    assert close(ours.p_positive, theirs["p_boot"], ours.n_positive, theirs["n_positive"])


def test_null_distribution(case):
    theirs, ours = case
    assert ours.n_failed == 0
    assert (ours.draws >= 0).all()
    # theirs may count noise around 0 as positive where a variance is at its boundary
    assert close(ours.n_positive / N, theirs["n_positive"] / theirs["nsim"], N, theirs["nsim"])
    variance = ours.draws.var() / N + theirs["null_var"] / theirs["nsim"]
    assert ours.draws.mean() == pytest.approx(theirs["null_mean"], abs=SIGMAS * np.sqrt(variance))

"""Coverage of bootstrap intervals by simulation from the sleep study's own fit."""

import numpy as np
import pandas as pd
import pytest

from bayeslmm.likelihood.bootstrap.parameters import parameters

METHODS = ("percentile", "basic", "normal", "studentized", "bca")
PROB = 0.9


def coverage(fit, n_simulations, n):
    """Share of intervals that hold the truth, label × method."""
    truth = pd.Series(parameters(fit), index=list(fit.estimates().frame.index))
    simulated = fit.simulate(n_simulations, seed=11).to_numpy()
    hits = pd.DataFrame(0.0, index=truth.index, columns=list(METHODS))
    for i, y in enumerate(simulated.T):
        boot = fit.refit(y).bootstrap(n=n, seed=i, se=True, progress=False)
        for method in METHODS:
            table = boot.confint(method, PROB)
            hits[method] += (table["lower"] <= truth) & (truth <= table["upper"])
    return hits / n_simulations


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::bayeslmm.errors.SingularFitWarning")
def test_coverage(sleep):
    """Fixed effects and σ keep their promise; sds are biased downwards."""
    share = coverage(sleep, 500, 400)
    print(share.round(3).to_string())
    error = np.sqrt(PROB * (1 - PROB) / 500)
    for label in ("beta[Intercept]", "beta[Days]", "sigma"):
        assert (share.loc[label] > PROB - 0.03 - 3 * error).all()
        assert (share.loc[label] < PROB + 0.03 + 3 * error).all()
    assert (share > 0.75).all(axis=None)

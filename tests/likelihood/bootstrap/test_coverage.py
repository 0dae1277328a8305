"""Coverage of every interval by every kind of bootstrap, simulated from the sleep study's own fit.

A full study is

    BAYESLMM_SIMULATIONS=500 python -m pytest -m slow -s tests/likelihood/bootstrap/test_coverage.py

It is made of pieces of PIECE simulations. Where BAYESLMM_COVERAGE names a folder, the limits of every piece
are kept there, and a study that was stopped goes on with the pieces that are missing.
"""

import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from bayeslmm.likelihood.bootstrap.intervals import IntervalMethod
from bayeslmm.likelihood.bootstrap.kinds.base import BootstrapKind
from bayeslmm.likelihood.bootstrap.parameters import parameters

SIMULATIONS = int(os.environ.get("BAYESLMM_SIMULATIONS", "100"))
PIECE = 20
DRAWS = 400
METHODS = list(IntervalMethod.kinds())
KINDS = BootstrapKind.kinds()
PROB = 0.9
OF_SIGMA = ("parametric", "residual", "cases")


def piece(fit, kind, number):
    """Lower and upper limits (PIECE, labels, methods, 2)."""
    simulated = fit.simulate(PIECE, seed=100 + number).to_numpy()
    limits = []
    for i, y in enumerate(simulated.T):
        boot = fit.refit(y).bootstrap(n=DRAWS, kind=kind, seed=i, se=True, progress=False)
        tables = [boot.confint(method, PROB)[["lower", "upper"]].to_numpy() for method in METHODS]
        limits.append(np.stack(tables, axis=1))
    return np.array(limits)


def study(fit, kind, n):
    """Limits (n, labels, methods, 2), a kept piece read and a missing one made."""
    folder = os.environ.get("BAYESLMM_COVERAGE")
    pieces = []
    for number in range(-(-n // PIECE)):
        path = None if folder is None else Path(folder) / f"{kind.replace(' ', '-')}-{number}.npy"
        if path is not None and path.exists():
            pieces.append(np.load(path))
            continue
        pieces.append(piece(fit, kind, number))
        if path is not None:
            np.save(path, pieces[-1])
    return np.concatenate(pieces)[:n]


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.filterwarnings("ignore::bayeslmm.errors.BayesLMMWarning")
def test_coverage(sleep, kind):
    """Fixed effects keep their promise, and so does σ where the kind has a law for it (docs/bootstrap.md)."""
    limits, truth = study(sleep, kind, SIMULATIONS), parameters(sleep)[None, :, None]
    share = ((limits[..., 0] <= truth) & (truth <= limits[..., 1])).mean(axis=0)
    labels = list(sleep.estimates().frame.index)
    print(pd.DataFrame(share, index=labels, columns=list(METHODS)).round(3).to_string())
    error = np.sqrt(PROB * (1 - PROB) / SIMULATIONS)
    promised = [label.startswith("beta") or (label == "sigma" and kind in OF_SIGMA) for label in labels]
    assert np.all(np.abs(share[promised] - PROB) < 0.03 + 3 * error)

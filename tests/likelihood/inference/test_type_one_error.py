"""How often true hypotheses are rejected, by simulation; run as a module it prints the table of the docs."""

import sys
import warnings

import numpy as np
import pandas as pd
import pytest

import bayeslmm as bl
from bayeslmm.errors import BayesLMMWarning
from bayeslmm.likelihood.inference.ddf.base import DDF
from bayeslmm.likelihood.inference.ddf.methods import ddf_of

GROUPS = (6, 12, 24)
PER_GROUP = 5
# all that answer on a boundary, too, where the observed information needn't be positive
METHODS = [kind for kind in DDF.kinds() if not kind.endswith("observed")]


def null_model(groups: int) -> tuple[bl.LinearMixedModel, np.ndarray]:
    """Half of the groups treated, unequal sizes; and the group of each row."""
    rng = np.random.default_rng(groups)
    g = np.repeat(np.arange(groups), PER_GROUP + rng.integers(-2, 3, size=groups))
    data = pd.DataFrame({"y": rng.normal(size=len(g)), "g": g.astype(str), "treated": (g % 2).astype(float)})
    return bl.LinearMixedModel("y ~ treated + (1 | g)", data), g


def rejections(groups: int, n: int, seed: int) -> dict[str, float]:
    """Share of n data sets without an effect where p < 0.05, by method."""
    model, g = null_model(groups)
    rng = np.random.default_rng(seed)
    small = bl.LinearMixedModel("y ~ 1 + (1 | g)", pd.DataFrame({"y": model.design.y, "g": g.astype(str)}))
    counts = dict.fromkeys([*METHODS, "likelihood ratio"], 0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", BayesLMMWarning)
        fit, null = model.fit(), small.fit("ML")
        big = model.fit("ML")
        for _ in range(n):
            y = rng.normal(size=groups)[g] + rng.normal(size=len(g))
            now = fit.refit(y)
            L = np.array([[0.0, 1.0]])
            for keyword in METHODS:
                counts[keyword] += ddf_of(now, keyword).test(L, L @ now.beta_values).p < 0.05
            table = bl.anova(null.refit(y), big.refit(y))
            counts["likelihood ratio"] += table["p"].iloc[1] < 0.05
    return {method: count / n for method, count in counts.items()}


@pytest.mark.slow
@pytest.mark.parametrize("groups", GROUPS)
def test_corrected_tests_reject_as_often_as_they_say(groups: int) -> None:
    n = 500
    found = rejections(groups, n, seed=1)
    error = np.sqrt(0.05 * 0.95 / n)
    for method in ("satterthwaite", "kenward-roger"):
        assert abs(found[method] - 0.05) < 4 * error
    if groups == 6:
        assert min(found["normal"], found["likelihood ratio"]) > 0.05 + 3 * error


if __name__ == "__main__":
    replicates = int(sys.argv[1])
    print(pd.DataFrame({groups: rejections(groups, replicates, 1) for groups in GROUPS}).T.to_string())

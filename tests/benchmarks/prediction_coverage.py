"""Coverage of prediction intervals by simulation: the table of docs/prediction.md.

    python -m tests.benchmarks.prediction_coverage 500

Random intercepts and slopes in few groups, where θ is least known: data are simulated, a model is fitted and
sampled, and intervals of the mean and of a new observation are compared with what was simulated, for a level
that was seen and one that wasn't.
"""

import sys
import warnings
from collections.abc import Iterator

import numpy as np
import pandas as pd

import bayeslmm as bl
from bayeslmm.errors import BayesLMMWarning

GROUPS, VISITS, PROB = 8, 5, 0.95
BETA, SIGMA = np.array([10.0, 2.0]), 1.0
T = np.array([[1.0, 0.3], [0.3, 0.5]])
X_NEW = 3.0
WAYS = ("analytic", "bootstrap", "posterior")


def simulated(rng: np.random.Generator) -> tuple[pd.DataFrame, np.ndarray]:
    """Rows, and the effects of every group and of one more that has no rows, (groups + 1, 2)."""
    b = rng.multivariate_normal(np.zeros(2), T, GROUPS + 1)
    g, x = np.repeat(np.arange(GROUPS), VISITS), np.tile(np.arange(VISITS, dtype=float), GROUPS)
    y = (BETA + b[g]) @ [1, 0] + ((BETA + b[g]) @ [0, 1]) * x + SIGMA * rng.normal(size=len(g))
    return pd.DataFrame({"y": y, "x": x, "g": g}), b


def covered(seed: int) -> Iterator[tuple[str, str, str, bool, float]]:
    """Way, kind of interval, level; whether it covers, and its width."""
    rng = np.random.default_rng(seed)
    data, b = simulated(rng)
    model = bl.LinearMixedModel("y ~ x + (x | g)", data)
    fit = model.fit()
    post = model.sample(draws=500, chains=2, seed=seed, method="importance", progress=False)
    new = pd.DataFrame({"x": X_NEW, "g": [0, GROUPS]})
    mean = (BETA + b[[0, GROUPS]]) @ [1, X_NEW]
    truth = {"confidence": mean, "prediction": mean + SIGMA * rng.normal(size=2)}
    for interval, values in truth.items():
        asked = {"new_levels": "population", "interval": interval, "prob": PROB, "seed": seed}
        answers = {
            "analytic": fit.predict(new, **asked),
            "bootstrap": fit.predict(new, **asked, interval_method="bootstrap", n=300),
            "posterior": post.predict(new, **asked),
        }
        for way, found in answers.items():
            inside = (found["lower"] < values) & (values < found["upper"])
            width = found["upper"] - found["lower"]
            for level, hit, size in zip(("seen", "unseen"), inside, width, strict=True):
                yield way, interval, level, bool(hit), float(size)


def main(n: int) -> None:
    """Print the table."""
    warnings.simplefilter("ignore", BayesLMMWarning)
    rows = [row for seed in range(n) for row in covered(seed)]
    frame = pd.DataFrame(rows, columns=["way", "interval", "level", "covered", "width"])
    table = frame.groupby(["interval", "level", "way"]).agg({"covered": "mean", "width": "mean"})
    table["mc_error"] = np.sqrt(table["covered"] * (1 - table["covered"]) / n)
    print(table.round(3).to_markdown() if "--markdown" in sys.argv else table.round(3).to_string())


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 500)

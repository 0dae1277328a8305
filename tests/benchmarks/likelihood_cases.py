"""Cases in a process of their own: ``python -m tests.benchmarks.likelihood_cases CASE`` prints JSON."""

import json
import resource
import sys
import time

import numpy as np
import pandas as pd

import bayeslmm as bl
from tests.benchmarks.likelihood import LARGE, NESTED, WHOLE_CALLS, check


def peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def warm_up() -> None:
    """Load the compiled code, so that a case times its own work."""
    bl.LinearMixedModel("strength ~ 1 + (1 | batch) + (1 | cask)", bl.load_dataset("Pastes")).fit()


def large(name: str) -> dict[str, float]:
    formula, reference = LARGE[name]
    warm_up()
    data = bl.load_dataset("InstEval")
    before = peak_mb()
    start = time.perf_counter()
    fit = bl.LinearMixedModel(formula, data).fit()
    fit.beta, fit.sigma  # noqa: B018
    taken = time.perf_counter() - start
    check(fit, reference)
    return {"seconds": taken, "added_mb": peak_mb() - before, "evaluations": fit.convergence.n_evaluations}


def nested_data() -> pd.DataFrame:
    """A million rows: ten of each of 100,000 pupils, in 10,000 classes, in 500 schools."""
    rng = np.random.default_rng(0)
    pupil = np.repeat(np.arange(100_000), 10)
    cls = pupil // 10
    school = cls // 20
    x = rng.normal(size=len(pupil))
    slope = 0.5 + 0.3 * rng.normal(size=10_000)[cls]
    level = 0.7 * rng.normal(size=100_000)[pupil] + 0.5 * rng.normal(size=10_000)[cls]
    y = 1 + slope * x + level + 0.4 * rng.normal(size=500)[school] + rng.normal(size=len(pupil))
    groups = {"school": school, "cls": cls, "pupil": pupil}
    return pd.DataFrame({"y": y, "x": x} | {name: pd.Categorical(codes) for name, codes in groups.items()})


def nested() -> dict[str, float]:
    warm_up()
    data = nested_data()
    start = time.perf_counter()
    fit = bl.LinearMixedModel(NESTED, data).fit()
    fit.beta, fit.sigma  # noqa: B018
    taken = time.perf_counter() - start
    assert np.allclose(np.abs(fit.theta), [0.7, 0.5, 0.3, 0.4], rtol=0.1)
    return {"seconds": taken, "peak_mb": peak_mb()}


def rows(n: int) -> dict[str, float]:
    """A random intercept and slope over 1,000 groups."""
    warm_up()
    rng = np.random.default_rng(0)
    group, x = rng.integers(0, 1000, n), rng.normal(size=n)
    b = rng.normal(size=(1000, 2))
    y = 1 + x + b[group, 0] + 0.5 * b[group, 1] * x + rng.normal(size=n)
    data = pd.DataFrame({"y": y, "x": x, "g": pd.Categorical(group)})
    start = time.perf_counter()
    model = bl.LinearMixedModel("y ~ x + (x | g)", data)
    model.design.kernel  # noqa: B018
    between = time.perf_counter()
    fit = model.fit()
    return {"seconds": time.perf_counter() - start, "search": fit and time.perf_counter() - between}


def first_fit() -> dict[str, float]:
    fit = bl.LinearMixedModel(WHOLE_CALLS["sleepstudy"][0], bl.load_dataset("sleepstudy")).fit()
    return {"sigma": fit.sigma}


def main(case: str) -> None:
    if case in LARGE:
        found = large(case)
    elif case.startswith("rows_"):
        found = rows(int(case.removeprefix("rows_")))
    else:
        found = {"nested": nested, "first_fit": first_fit}[case]()
    print(json.dumps(found))


if __name__ == "__main__":
    main(sys.argv[1])

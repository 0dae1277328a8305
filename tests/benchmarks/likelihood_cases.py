"""Cases that want a process of their own: ``python -m tests.benchmarks.likelihood_cases CASE [PATH]``."""

import json
import resource
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from statistics import median

import numpy as np
import pandas as pd

import bayeslmm as bl
from bayeslmm.errors import BayesLMMWarning

ROOT = Path(__file__).parents[2]
SMALL = {
    "sleepstudy": ("Reaction ~ Days + (Days | Subject)", "sleep_correlated"),
    "Penicillin": ("diameter ~ 1 + (1 | plate) + (1 | sample)", "penicillin_crossed"),
    "Pastes": ("strength ~ 1 + (1 | batch / cask)", "pastes_nested"),
}
LARGE = {
    "InstEval_standard": ("y ~ 1 + service + (1 | s) + (1 | d) + (1 | dept)", "insteval_standard"),
    "InstEval_3terms": ("y ~ 1 + (1 | s) + (1 | d) + (1 | dept:service)", "insteval_3terms"),
}
NESTED = "y ~ x + (1 | school / cls / pupil) + (0 + x | school:cls)"
GROUPED = "y ~ x + (x | g)"
TOLERANCE = 1e-8  # of the criterion, relative: what the reference's own optimizer leaves


def stored(reference: str) -> float:
    """The REML criterion of a reference file."""
    text = (ROOT / "tests" / "reference" / "lmer" / f"{reference}.json").read_text(encoding="utf-8")
    return float(json.loads(text)["fits"]["REML"]["criterion"]["value"])


def check(what: str, value: float, expected: float, tolerance: float = TOLERANCE) -> None:
    """Fail when a timed fit isn't the fit it should be."""
    apart = abs(value / expected - 1)
    if apart > tolerance:
        raise AssertionError(f"{what}: the criterion is {value!r}, not {expected!r} (off by {apart:.2g})")


def fitted(formula: str, data: object) -> object:
    """The whole call, with what everybody reads."""
    fit = bl.LinearMixedModel(formula, data).fit()
    return fit.beta, fit.sigma, fit


def peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def warm_up() -> None:
    """Load the compiled code and LAPACK, so that a case shows its own time and memory."""
    fitted(SMALL["sleepstudy"][0], bl.load_dataset("sleepstudy"))
    row = np.arange(900)
    table = {"y": np.sin(row), "a": (row % 120).astype(str), "b": (row * 7 % 130).astype(str)}
    fitted("y ~ 1 + (1 | a) + (1 | b)", pd.DataFrame(table))


def large(name: str) -> dict[str, float]:
    """An InstEval model: median of three calls, memory added by the first."""
    formula, reference = LARGE[name]
    warm_up()
    data = bl.load_dataset("InstEval")
    before, added, times = peak_mb(), 0.0, []
    for _ in range(3):
        start = time.perf_counter()
        *_, fit = fitted(formula, data)  # type: ignore[misc]
        times.append(time.perf_counter() - start)
        added = added or peak_mb() - before
    check(name, fit.criterion_value, stored(reference))
    return {
        "seconds": median(times),
        "added_mb": added,
        "criterion": fit.criterion_value,
        "evaluations": fit.convergence.n_evaluations,
    }


def nested_data(rows: int = 10) -> pd.DataFrame:
    """`rows` of each of 100,000 pupils, ten in each of 10,000 classes, twenty in each of 500 schools."""
    rng = np.random.default_rng(0)
    pupil = np.repeat(np.arange(100_000), rows)
    cls, school = pupil // 10, pupil // 200
    x = rng.normal(size=len(pupil))
    slope = 0.5 + 0.3 * rng.normal(size=10_000)[cls]
    level = 0.7 * rng.normal(size=100_000)[pupil] + 0.5 * rng.normal(size=10_000)[cls]
    y = 1 + slope * x + level + 0.4 * rng.normal(size=500)[school] + rng.normal(size=len(pupil))
    return pd.DataFrame({"y": y, "x": x, "school": school, "cls": cls % 20, "pupil": pupil % 10})


def grouped_data(n: int, seed: int = 0) -> pd.DataFrame:
    """A random intercept and slope over 1,000 groups."""
    rng = np.random.default_rng([n, seed])
    b = np.random.default_rng(0).normal(size=(1000, 2))
    group, x = rng.integers(0, 1000, n), rng.normal(size=n)
    y = 1 + x + b[group, 0] + 0.5 * b[group, 1] * x + rng.normal(size=n)
    return pd.DataFrame({"y": y, "x": x, "g": group})


def stages(formula: str, data: object) -> dict[str, float]:
    """Seconds to the cross-products and of the search, peak memory of the process, the criterion."""
    start = time.perf_counter()
    model = bl.LinearMixedModel(formula, data)
    model.design.kernel.n  # noqa: B018 (made on first access)
    between = time.perf_counter()
    fit = model.fit()
    done = time.perf_counter()
    return {
        "seconds": done - start,
        "rows": between - start,
        "search": done - between,
        "peak_mb": peak_mb(),
        "criterion": fit.criterion_value,
        "tail": float(model.design.kernel.problem.ints[3]),
    }


def nested(path: str) -> dict[str, float]:
    """The nested model: of a frame in memory, or of a Parquet file."""
    warm_up()
    return stages(NESTED, path or nested_data())


def grouped(n: int, path: str) -> dict[str, float]:
    """Rows alone grow: in memory, or in a Parquet file."""
    warm_up()
    return stages(GROUPED, path or pd.concat(list(pieces(n)), ignore_index=True))


def pieces(n: int) -> "list[pd.DataFrame]":
    """The rows of `grouped` in parts of at most 500,000, the same in memory and on disk."""
    sizes = [500_000] * (n // 500_000) or [n]
    return [grouped_data(size, seed) for seed, size in enumerate(sizes)]


def first_fit() -> dict[str, float]:
    """What a new process does first."""
    start = time.perf_counter()
    *_, fit = fitted(SMALL["sleepstudy"][0], bl.load_dataset("sleepstudy"))  # type: ignore[misc]
    return {"seconds": time.perf_counter() - start, "criterion": fit.criterion_value}


def main(case: str, path: str = "") -> None:
    """Print what a case measured, as JSON."""
    warnings.simplefilter("ignore", BayesLMMWarning)
    cases: dict[str, Callable[[], dict[str, float]]] = {
        "nested": lambda: nested(path),
        "first_fit": first_fit,
        **{name: lambda name=name: large(name) for name in LARGE},  # type: ignore[misc]
    }
    found = grouped(int(case[5:]), path) if case.startswith("rows_") else cases[case]()
    print(json.dumps(found))


if __name__ == "__main__":
    main(*sys.argv[1:])

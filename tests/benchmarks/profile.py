"""Where the time of a whole call goes: ``python -m tests.benchmarks.profile sleepstudy | InstEval_standard``.

A profiler's own times by part of the program, what compiled and library code takes charged to its caller. The
profiler slows Python down and compiled code not; the total is therefore measured apart, without it.
"""

import cProfile
import pstats
import sys
import time
import warnings
from collections import Counter
from statistics import median

import bayeslmm as bl

FORMULAS = {
    "sleepstudy": "Reaction ~ Days + (Days | Subject)",
    "InstEval_standard": "y ~ 1 + service + (1 | s) + (1 | d) + (1 | dept)",
}
PARTS = {
    "/bayeslmm/kernel/kernel": "kernel: criterion and gradient",
    "/bayeslmm/kernel/factor/": "kernel: criterion and gradient",
    "/bayeslmm/kernel/values/": "kernel: criterion and gradient",
    "/bayeslmm/kernel/search/optimizer": "search",
    "/bayeslmm/kernel/": "kernel: cross-products, start values",
    "/bayeslmm/likelihood/boundary": "search",
    "/bayeslmm/likelihood/criterion": "search",
    "/bayeslmm/likelihood/elsewhere": "search: other minima",
    "/bayeslmm/likelihood/optimum": "search",
    "/bayeslmm/spec/covariance/": "search",
    "/bayeslmm/spec/coordinates": "search",
    "/bayeslmm/spec/relative": "search",
    "/bayeslmm/spec/units": "search",
    "/bayeslmm/spec/": "formula and design",
    "/bayeslmm/": "model, results",
    "/formulaic/": "formula and design",
}


def part_of(path: str) -> str | None:
    """Our name for a file's share; None for a library's, which is charged to whoever called."""
    return next((part for place, part in PARTS.items() if place in path), None)


def shares(stats: pstats.Stats) -> Counter[str]:
    """Own seconds by part."""
    table: dict = stats.stats  # type: ignore[attr-defined]
    out: Counter[str] = Counter()

    def charge(key: tuple, seconds: float, depth: int) -> None:
        part, callers = part_of(key[0]), table[key][4] if key in table else {}
        total = sum(entry[3] for entry in callers.values())
        if part is not None or depth == 12 or total <= 0:
            out[part or "other"] += seconds
            return
        for caller, entry in callers.items():
            charge(caller, seconds * entry[3] / total, depth + 1)

    for key, (_, _, own, _, _) in table.items():
        charge(key, own, 0)
    return out


def main(name: str, repeats: int) -> None:
    """Print the table."""
    warnings.simplefilter("ignore")
    data, formula = bl.load_dataset(name.split("_")[0]), FORMULAS[name]

    def call() -> object:
        fit = bl.LinearMixedModel(formula, data).fit()
        return fit.beta, fit.sigma

    call()
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    profiler = cProfile.Profile()
    profiler.enable()
    for _ in range(repeats):
        call()
    profiler.disable()
    found = shares(pstats.Stats(profiler))
    print(f"| {name}: {1e3 * median(times):.4g} ms | share |\n| :--- | ---: |")
    for part, seconds in found.most_common():
        print(f"| {part} | {100 * seconds / found.total():.0f} % |")


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 3)

"""Effective draws a second, against plainly written peers: an LKJ script in PyMC, and Bambi.

    python -m tests.benchmarks.posterior --wall 5

One process, one run after the other, compilation apart; the recovery of our effects is part of our time.
Figures are medians over seeds of the smallest bulk ESS among all quantities, random effects among them, over
seconds. Two comparisons: the correlated model against the script, and Bambi's own model, under its own
priors, against Bambi.

`--wall` adds what a user waits for: from the model's description to a summary, in new processes with warm
caches, ours against Bambi's. Prints the table and writes docs/_benchmarks/posterior.md.
"""

import argparse
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from tests.benchmarks.likelihood import machine, table

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "_benchmarks" / "posterior.md"
CHAINS = 4


def smallest_ess(arrays: list[np.ndarray]) -> float:
    """Smallest bulk ESS over all elements of variables (chains, draws, ...)."""
    from arviz_stats.base import array_stats

    flat = np.concatenate([a.reshape(*a.shape[:2], -1) for a in arrays], axis=2)
    return float(np.min(array_stats.ess(flat, chain_axis=0, draw_axis=1, method="bulk")))


def script_model(data: Any) -> Any:
    """The correlated model as textbooks write it: LKJCholeskyCov, non-centred, the same priors as ours."""
    import pymc as pm

    subjects, codes = np.unique(data["Subject"], return_inverse=True)
    y, days = data["Reaction"].to_numpy(float), data["Days"].to_numpy(float)
    spread = np.array([261.0092, 48.8915])
    with pm.Model(coords={"subject": subjects, "coef": ["Intercept", "Days"]}) as model:
        beta = pm.Flat("beta", dims="coef", initval=np.array([250.0, 10.0]))
        chol, _, _ = pm.LKJCholeskyCov(
            "chol", n=2, eta=2.0, sd_dist=pm.HalfNormal.dist(spread, shape=2), compute_corr=True
        )
        u = pm.Normal("u", dims=("subject", "coef"))
        b = pm.Deterministic("b", u @ chol.T, dims=("subject", "coef"))
        sigma = pm.HalfStudentT("sigma", nu=4, sigma=float(np.std(y)))
        mean = beta[0] + b[codes, 0] + (beta[1] + b[codes, 1]) * days
        pm.Normal("y", mean, sigma, observed=y)
    return model


def graph_runner(
    model: Any, options: argparse.Namespace
) -> tuple[float, Callable[[int], tuple[float, float]]]:
    """Compile a PyMC model by nutpie; a function of the seed to (seconds, smallest ESS)."""
    import nutpie

    start = time.perf_counter()
    compiled = nutpie.compile_pymc_model(model)
    compiling = time.perf_counter() - start

    def run(seed: int) -> tuple[float, float]:
        begin = time.perf_counter()
        tree = nutpie.sample(
            compiled,
            draws=options.draws,
            tune=1000,
            chains=CHAINS,
            seed=seed,
            progress_bar=False,
            save_warmup=False,
        )
        seconds = time.perf_counter() - begin
        skipped = ("corr", "offset", "chol", "u")
        names = [name for name in tree["posterior"].data_vars if not name.endswith(skipped)]
        kept = [np.asarray(tree["posterior"][name]) for name in names]
        return seconds, smallest_ess(kept)

    return compiling, run


def our_runner(
    model: Any, method: str, options: argparse.Namespace
) -> tuple[float, Callable[[int], tuple[float, float]]]:
    """Ours by NUTS on the marginal graph or by importance; a first short run compiles."""
    start = time.perf_counter()
    model.sample(draws=10, tune=10, chains=1, seed=0, method=method, progress=False)
    compiling = time.perf_counter() - start

    def run(seed: int) -> tuple[float, float]:
        post = model.sample(draws=options.draws, seed=seed, method=method, progress=False)
        if post.method != method:
            raise SystemExit(f"{method} gave way to {post.method}: {post.reason}")
        data = post.data["posterior"]
        arrays = [np.asarray(data[name]) for name in data.data_vars]
        # compiling and collecting into a DataTree are apart, for the peers' too
        seconds = sum(value for step, value in post.timings.items() if step not in ("compile", "collect"))
        return seconds, smallest_ess(arrays)

    return compiling, run


def measure(
    name: str, runner: tuple[float, Callable[[int], tuple[float, float]]], options: argparse.Namespace
) -> dict[str, Any]:
    """Seconds and ESS of every seed, and the median rate."""
    compiling, run = runner
    run(0)  # the first call loads what is lazy
    found = [run(seed) for seed in options.seeds]
    rates = [ess / seconds for seconds, ess in found]
    row = {
        "name": name,
        "draws": options.draws,
        "compile": compiling,
        "seconds": [seconds for seconds, _ in found],
        "min_ess": [ess for _, ess in found],
        "ess_per_second": float(np.median(rates)),
    }
    print(
        f"{name:<28} compile {compiling:6.1f} s   {row['ess_per_second']:10.0f} effective draws a second",
        flush=True,
    )
    return row


def rates(options: argparse.Namespace) -> list[dict[str, Any]]:
    """All rows of both comparisons."""
    import bambi

    import bayeslmm as bl

    data = bl.load_dataset("sleepstudy")
    correlated = bl.LinearMixedModel("Reaction ~ Days + (Days | Subject)", data)
    theirs = bambi.Model("Reaction ~ Days + (Days|Subject)", data)
    theirs.build()
    independent = bl.from_bambi(theirs)
    return [
        measure("LKJ script, nutpie", graph_runner(script_model(data), options), options),
        measure("correlated, marginal", our_runner(correlated, "marginal", options), options),
        measure("correlated, importance", our_runner(correlated, "importance", options), options),
        measure("Bambi, nutpie", graph_runner(theirs.backend.model, options), options),
        measure("Bambi's model, marginal", our_runner(independent, "marginal", options), options),
        measure("Bambi's model, importance", our_runner(independent, "importance", options), options),
    ]


WALL = {
    "bayeslmm": """
import bayeslmm as bl
data = bl.load_dataset("sleepstudy")
model = bl.LinearMixedModel("Reaction ~ Days + (Days || Subject)", data)
print(model.sample(seed=1, progress=False).summary())
""",
    "bambi": """
import arviz as az, bambi, bayeslmm as bl
data = bl.load_dataset("sleepstudy")
model = bambi.Model("Reaction ~ Days + (Days|Subject)", data)
print(az.summary(model.fit(draws=1000, tune=1000, chains=4, random_seed=1, progressbar=False)))
""",
}


def wall(repeats: int) -> dict[str, float]:
    """Median seconds of new processes with warm caches; the first of each only warms them."""
    out = {}
    for name, script in WALL.items():
        times = []
        for _ in range(repeats + 1):
            start = time.perf_counter()
            subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, cwd=ROOT)
            times.append(time.perf_counter() - start)
        out[name] = float(np.median(times[1:]))
        print(f"{name:<28} {out[name]:6.2f} s from start to summary", flush=True)
    return out


RATIOS = (
    ("correlated, marginal", "LKJ script, nutpie", 15.0),
    ("correlated, importance", "LKJ script, nutpie", 30.0),
    ("Bambi's model, marginal", "Bambi, nutpie", 2.5),
    ("Bambi's model, importance", "Bambi, nutpie", 5.0),
)


def ratio_lines(rows: list[dict[str, Any]]) -> Iterator[tuple[str, ...]]:
    """Every method beside its peer, and the factor we want to be faster by."""
    by_name = {row["name"]: row for row in rows}
    for name, peer, aim in RATIOS:
        ours, theirs = by_name[name], by_name[peer]
        ratio = ours["ess_per_second"] / theirs["ess_per_second"]
        per_draw = np.median(ours["min_ess"]) / (CHAINS * ours["draws"])
        seconds = np.median(ours["seconds"])
        rates = (f"{each['ess_per_second']:,.0f}" for each in (ours, theirs))
        yield (
            name,
            f"{seconds:.2f}",
            f"{per_draw:.2f}",
            next(rates),
            peer,
            next(rates),
            f"**{ratio:.1f}**",
            f"{aim:g}",
        )


HEAD = (
    "model and method",
    "seconds",
    "ESS a draw",
    "ESS a second",
    "peer",
    "peer's ESS a second",
    "times faster",
    "aim",
)


def main() -> None:
    """Run what was asked for and write it down."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--draws", type=int, default=10_000, help="per chain")
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3, 4, 5])
    parser.add_argument("--wall", type=int, default=0, metavar="REPEATS", help="time whole processes too")
    options = parser.parse_args()
    parts = [
        f"Measured in one run on {machine()}",
        table(HEAD, list(ratio_lines(rates(options))), left=(0, 4)),
    ]
    if options.wall:
        times = wall(options.wall)
        seconds = [[name, f"{taken:.2f}"] for name, taken in times.items()]
        share = times["bayeslmm"] / times["bambi"]
        parts.append(table(("from a new process to a summary, warm caches", "seconds"), seconds))
        parts.append(f"Ours takes {share:.2f} of Bambi's time (aim: at most 0.6).")
    text = "\n\n".join(parts)
    print(text)
    PAGE.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()

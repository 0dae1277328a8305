"""InstEval's full posterior, all 4,100 random effects, beside Bambi's: effective draws a second and memory.

    python -m tests.benchmarks.insteval_posterior

It writes docs/_benchmarks/insteval_posterior.md. Each side is a process of its own with two cores. Figures
are the smallest bulk ESS over sigma, the standard deviations, and 200 random effects chosen at random, over
the seconds that draws take *in the long run*:

- Bambi by nutpie: time stamps of each chain's progress, from its last warm-up draw to its last draw.
- ours by importance: the difference between two runs, one three times as long as the other; what both have
  in common (mode, surrogate) is warm-up. Once as it is, and once with `exact=True`, the kernel asked about
  every proposal.

Compilation, warm-up and the collection into a DataTree are apart for both. Our ESS is taken of the
parameters and of E[b | parameters], which repeats where a chain does; the draws of b themselves mix better.
Bambi's is taken of the draws of b, and of its intercept. Peak memory is each process's own (getrusage).
"""

import argparse
import json
import resource
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "_benchmarks" / "insteval_posterior.md"
CORES = 2
SUBSET = 200  # random effects looked at


def load() -> Any:
    """The ratings as a frame."""
    import bayeslmm as bl

    return bl.load_dataset("InstEval")


def subset(levels: dict[str, list[str]]) -> dict[str, np.ndarray]:
    """Places among each group's levels of those looked at, the same whatever a side's order."""
    rng = np.random.default_rng(2015)
    names = [(group, name) for group in sorted(levels) for name in sorted(levels[group])]
    chosen = [names[i] for i in np.sort(rng.choice(len(names), SUBSET, replace=False))]
    places = {group: {name: place for place, name in enumerate(own)} for group, own in levels.items()}
    return {group: np.array([places[group][name] for of, name in chosen if of == group]) for group in levels}


def summaries(arrays: dict[str, np.ndarray]) -> dict[str, Any]:
    """Mean, sd and bulk ESS of each column of variables (chains, draws) or (chains, draws, k)."""
    from arviz_stats.base import array_stats

    out = {}
    for name, values in arrays.items():
        flat = values.reshape(*values.shape[:2], -1)
        ess = np.atleast_1d(array_stats.ess(flat, chain_axis=0, draw_axis=1, method="bulk"))
        out[name] = {
            "mean": flat.mean(axis=(0, 1)).tolist(),
            "sd": flat.std(axis=(0, 1)).tolist(),
            "ess": ess.tolist(),
        }
    return out


def level_names(effects: Any) -> list[str]:
    """Of a variable (chains, draws, levels)."""
    return [str(name) for name in effects.coords[effects.dims[2]].values]


class Stamps:
    """When each of nutpie's chains ended its warm-up and its run."""

    def __init__(self, tune: int) -> None:
        self.tune, self.tuned, self.ended = tune, {}, {}

    def __call__(self, chains: list[Any]) -> None:
        now = time.perf_counter()
        for number, chain in enumerate(chains):
            if chain.finished_draws >= self.tune:
                self.tuned.setdefault(number, (now, chain.finished_draws))
            if chain.finished_draws >= chain.total_draws:
                self.ended.setdefault(number, now)

    def seconds(self, draws: int) -> float:
        """Mean over chains of the time that `draws` draws after warm-up take."""
        rates = [
            (self.tune + draws - at) / (self.ended[number] - when)
            for number, (when, at) in self.tuned.items()
        ]
        return draws / float(np.mean(rates))


def bambi_side(options: argparse.Namespace) -> dict[str, Any]:
    """Bambi's own model by nutpie."""
    import bambi
    import nutpie

    start = time.perf_counter()
    model = bambi.Model("y ~ 1 + (1|s) + (1|d)", load())
    model.build()
    built = time.perf_counter()
    compiled = nutpie.compile_pymc_model(model.backend.model)
    compiled_at = time.perf_counter()
    stamps = Stamps(options.tune)
    tree = nutpie.sample(
        compiled,
        draws=options.draws,
        tune=options.tune,
        chains=CORES,
        cores=CORES,
        seed=options.seed,
        save_warmup=False,
        progress_bar=False,
        progress_callback=stamps,
        progress_rate=20,
    )
    ended = time.perf_counter()
    found = tree["posterior"]
    picked = subset({group: level_names(found[f"1|{group}"]) for group in ("s", "d")})
    arrays = {"sigma": found["sigma"], "sd_s": found["1|s_sigma"], "sd_d": found["1|d_sigma"]}
    arrays |= {"beta": found["Intercept"]}
    arrays |= {f"ranef_{group}": found[f"1|{group}"][:, :, index] for group, index in picked.items()}
    return {
        "build": built - start,
        "compile": compiled_at - built,
        "sample": ended - compiled_at,
        "long_run": stamps.seconds(options.draws),
        "draws": CORES * options.draws,
        "found": summaries({name: np.asarray(values) for name, values in arrays.items()}),
    }


def our_side(options: argparse.Namespace) -> dict[str, Any]:
    """Ours by importance: a short run and one three times as long."""
    import bayeslmm as bl

    start = time.perf_counter()
    model = bl.LinearMixedModel("y ~ 1 + (1|s) + (1|d)", load())
    built = time.perf_counter()
    common = {"seed": options.seed, "method": "importance", "cores": CORES, "progress": False}
    common |= {"exact": options.side == "exact"}
    model.sample(draws=50, **common)
    compiled_at = time.perf_counter()
    seconds = {}
    for draws in (options.draws, 3 * options.draws):
        post = model.sample(draws=draws, **common)
        if post.method != "importance":
            raise SystemExit(f"importance gave way: {post.reason}")
        seconds[draws] = post.timings["importance"] + post.timings["effects"]
    data = post.data["posterior"]
    picked = subset({block.group: list(block.levels) for block in post.design.blocks})
    arrays = {"sigma": data["sigma"], "sd_s": data["sd_s"], "sd_d": data["sd_d"], "beta": data["beta"]}
    arrays |= {f"ranef_{group}": data[f"ranef_{group}"][:, :, index, 0] for group, index in picked.items()}
    expected = expected_effects(post, picked)
    return {
        "build": built - start,
        "compile": compiled_at - built,
        "sample": seconds[3 * options.draws],
        "long_run": 1.5 * (seconds[3 * options.draws] - seconds[options.draws]),
        "draws": 3 * 4 * options.draws,
        "reason": post.reason,
        "found": summaries({name: np.asarray(values) for name, values in arrays.items()} | expected),
    }


def expected_effects(post: Any, picked: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """E[b | parameters] of the chosen effects at the draws of every chain."""
    from bayeslmm.posterior.effects.recover import expected_effects

    chains = [expected_effects(post.design, post.priors, chain)[1] for chain in post.draws.parameters]
    out, first = {}, 0
    for block in post.design.blocks:
        own = np.stack([chain[:, first + picked[block.group]] for chain in chains])
        out[f"expected_{block.group}"] = own
        first += block.q
    return out


SIDES = {"bambi": bambi_side, "bayeslmm": our_side, "exact": our_side}


def measured(side: str, options: argparse.Namespace) -> dict[str, Any]:
    """What a side reports from a process of its own, with its peak memory in MB."""
    draws = {"bambi": options.draws, "bayeslmm": options.ours, "exact": options.exact}[side]
    command = [sys.executable, "-m", "tests.benchmarks.insteval_posterior", "--side", side]
    command += ["--draws", str(draws), "--tune", str(options.tune), "--seed", str(options.seed)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, cwd=ROOT)
    row: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    found = row["found"]
    # ours: E[b | parameters] stands for b, as it repeats with the parameters
    judged = [name for name in found if side == "bambi" or not name.startswith(("ranef", "beta"))]
    row["min_ess"] = min(min(found[name]["ess"]) for name in judged)
    row["rate"] = row["min_ess"] / row["long_run"]
    row["ms"] = 1e3 * row["long_run"] / row["draws"]
    print(
        f"{side:<9} {row['build']:5.1f} s to build, {row['compile']:5.1f} s to compile, "
        f"{row['sample']:5.1f} s to sample; long run {row['ms']:5.2f} ms a draw, smallest ESS "
        f"{row['min_ess']:.0f} of {row['draws']}: {row['rate']:.1f} effective draws a second; "
        f"peak {row['peak_mb']:.0f} MB",
        flush=True,
    )
    return row


def page(rows: dict[str, dict[str, Any]]) -> str:
    """The table, the ratios, and the machine."""
    from tests.benchmarks.likelihood import machine, table

    ours, exact, theirs = rows["bayeslmm"], rows["exact"], rows["bambi"]
    lines = [
        ("to build, s", "build", 1),
        ("to compile, s", "compile", 1),
        ("the (longer) run, warm-up included, s", "sample", 1),
        ("its draws", "draws", 0),
        ("long run, ms a draw", "ms", 2),
        ("smallest effective sample size", "min_ess", 0),
        ("effective draws a second", "rate", 1),
        ("peak memory, MB", "peak_mb", 0),
    ]
    cells = [
        [name, *(f"{row[key]:,.{digits}f}" for row in (ours, exact, theirs))] for name, key, digits in lines
    ]
    rate, memory = ours["rate"] / theirs["rate"], ours["peak_mb"] / theirs["peak_mb"]
    head = ("InstEval, two cores each", "ours, importance", "every weight exact", "Bambi, nutpie")
    return "\n\n".join(
        [
            f"Measured in one run on {machine()}",
            table(head, cells),
            f"Effective draws a second: **{rate:.1f}** times Bambi's (aim: 5), "
            f"{exact['rate'] / theirs['rate']:.1f} times with every weight exact. Memory: {memory:.2f} of "
            f"Bambi's (aim: at most 0.33). Our run's own words: {ours['reason']}.",
        ]
    )


def deviations(one: dict[str, Any], other: dict[str, Any]) -> dict[str, float]:
    """Largest difference of means by variable, in Monte Carlo standard errors."""
    out = {}
    for name in set(one) & set(other):
        a, b = ({key: np.array(values) for key, values in side[name].items()} for side in (one, other))
        error = np.sqrt(a["sd"] ** 2 / a["ess"] + b["sd"] ** 2 / b["ess"])
        out[name] = float(np.max(np.abs(a["mean"] - b["mean"]) / error))
    return out


def main() -> None:
    """Measure both sides, print the ratios, and hold the posterior means against each other."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--draws", type=int, default=1000, help="Bambi's draws per chain, after warm-up")
    parser.add_argument("--tune", type=int, default=500, help="Bambi's warm-up draws per chain")
    parser.add_argument("--ours", type=int, default=1000, help="draws per chain of our shorter run")
    parser.add_argument("--exact", type=int, default=500, help="the same, every weight exact")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--side", choices=SIDES)
    parser.add_argument("--only", choices=SIDES)
    options = parser.parse_args()
    if options.side:
        row = SIDES[options.side](options)
        row["peak_mb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(json.dumps(row))
        return
    if options.only:
        measured(options.only, options)
        return
    rows = {side: measured(side, options) for side in SIDES}
    text = page(rows)
    print(text)
    PAGE.write_text(text + "\n", encoding="utf-8")
    for side in ("bayeslmm", "exact"):
        off = deviations(rows[side]["found"], rows["bambi"]["found"])
        print(side, "means differ by", {name: round(z, 2) for name, z in off.items()}, "MCSE at most")
        if max(off.values()) > 4:
            raise SystemExit("posterior means differ by more than 4 Monte Carlo standard errors")


if __name__ == "__main__":
    main()

"""The likelihood engine beside lme4 in one run: ``python -m tests.benchmarks.likelihood [--quick]``.

Prints ratios and writes docs/benchmarks/likelihood.md. Without R the ratios say "not measured". Every timed
fit's criterion is held against the stored lme4 result.
"""

import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import bayeslmm as bl
from bayeslmm.errors import BayesLMMWarning

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
DATA = ROOT / "bayeslmm" / "datasets" / "data"
PAGE = ROOT / "docs" / "benchmarks" / "likelihood.md"
WHOLE_CALLS = {
    "sleepstudy": ("Reaction ~ Days + (Days | Subject)", "sleep_correlated"),
    "Penicillin": ("diameter ~ 1 + (1 | plate) + (1 | sample)", "penicillin_crossed"),
    "Pastes": ("strength ~ 1 + (1 | batch / cask)", "pastes_nested"),
}
LARGE = {
    "InstEval_standard": ("y ~ 1 + service + (1 | s) + (1 | d) + (1 | dept)", "insteval_standard"),
    "InstEval_3terms": ("y ~ 1 + (1 | s) + (1 | d) + (1 | dept:service)", "insteval_3terms"),
}
ROWS = (10_000, 100_000, 1_000_000, 10_000_000)
NESTED = "y ~ x + (1 | school / cls / pupil) + (0 + x | school:cls)"


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table: seconds here, seconds of lme4 (None: not measured), remarks."""

    what: str
    seconds: float
    lme4: float | None
    remark: str = ""

    @property
    def cells(self) -> tuple[str, ...]:
        ratio = "not measured" if self.lme4 is None else f"{self.lme4 / self.seconds:.1f}"
        peer = "not measured" if self.lme4 is None else f"{1e3 * self.lme4:.4g}"
        return self.what, f"{1e3 * self.seconds:.4g}", peer, ratio, self.remark


def seconds(call: Callable[[], object], repeats: int) -> float:
    """Median wall time of a call after one to warm up."""
    call()
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    return median(times)


def stored_criterion(name: str) -> float:
    text = (ROOT / "tests" / "reference" / "lmer" / f"{name}.json").read_text(encoding="utf-8")
    return float(json.loads(text)["fits"]["REML"]["criterion"]["value"])


def check(fit: bl.model.LikelihoodFit, reference: str) -> None:
    deviation = abs(fit.criterion_value - stored_criterion(reference))
    assert deviation < 1e-6, f"{reference}: the criterion is {deviation:g} off"


def lme4_seconds(repeats: int, large: bool) -> dict[str, float]:
    """lme4's times by case; empty without R and lme4."""
    rscript = shutil.which("Rscript")
    if rscript is None:
        return {}
    command = [rscript, str(HERE / "lme4_times.R"), str(DATA), str(repeats), str(large).upper()]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        print(done.stderr, file=sys.stderr)
    lines = [line.split() for line in done.stdout.splitlines()]
    return {name: float(value) for name, value, _ in lines}


def whole_calls(peers: dict[str, float], repeats: int) -> list[Row]:
    rows = []
    for name, (formula, reference) in WHOLE_CALLS.items():
        data = bl.load_dataset(name)

        def call(formula: str = formula, data: object = data) -> object:
            fit = bl.LinearMixedModel(formula, data).fit()
            return fit.beta, fit.sigma

        check(bl.LinearMixedModel(formula, data).fit(), reference)
        rows.append(Row(f"{name}, formula to fit", seconds(call, 4 * repeats), peers.get(name)))
    return rows


def refits(peers: dict[str, float]) -> Row:
    """Many responses as arrays, each from rows to estimates, against lme4's refit()."""
    fit = bl.LinearMixedModel(WHOLE_CALLS["sleepstudy"][0], bl.load_dataset("sleepstudy")).fit()
    responses = fit.simulate(2000, seed=1).to_numpy().T.copy()
    value = seconds(lambda: fit.refit_many(responses), 3) / len(responses)
    return Row("sleepstudy, refit of a new response", value, peers.get("refit"), "arrays in, arrays out")


def in_fresh_process(case: str) -> dict[str, float]:
    """Run one case of `CASES` in a process of its own; its seconds and peak memory."""
    command = [sys.executable, "-m", "tests.benchmarks.likelihood_cases", case]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT)
    return dict(json.loads(done.stdout.splitlines()[-1]))


def large(peers: dict[str, float]) -> list[Row]:
    rows = []
    for name in LARGE:
        found = in_fresh_process(name)
        remark = f"{found['evaluations']:.0f} evaluations, {found['added_mb']:.0f} MB added"
        rows.append(Row(name, found["seconds"], peers.get(name), remark))
    return rows


def scale(largest: int) -> list[Row]:
    nested = in_fresh_process("nested")
    rows = [Row("nested, 1,000,000 rows", nested["seconds"], None, f"{nested['peak_mb']:.0f} MB at its peak")]
    for n in ROWS:
        if n <= largest:
            found = in_fresh_process(f"rows_{n}")
            remark = f"search {1e3 * found['search']:.2f} ms after the cross-products"
            rows.append(Row(f"{n:,} rows, 1,000 groups", found["seconds"], None, remark))
    return rows


def cold_start() -> list[Row]:
    """First fit of a new process: with nothing compiled, then with everything in the cache."""
    rows = []
    with tempfile.TemporaryDirectory() as cache:
        for what in ("very first", "warm cache"):
            environment = os.environ | {"NUMBA_CACHE_DIR": cache}
            start = time.perf_counter()
            command = [sys.executable, "-m", "tests.benchmarks.likelihood_cases", "first_fit"]
            subprocess.run(command, check=True, cwd=ROOT, env=environment, capture_output=True)
            rows.append(Row(f"process to first REML fit, {what}", time.perf_counter() - start, None))
    return rows


def page(rows: list[Row]) -> str:
    head = ("case", "bayeslmm, ms", "lme4, ms", "ratio", "remark")
    lines = [head, ("---", "---:", "---:", "---:", "---"), *(row.cells for row in rows)]
    table = "\n".join("| " + " | ".join(line) + " |" for line in lines)
    machine = f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}"
    origin = f"{machine}, bayeslmm {bl.__version__}. Written by `python -m tests.benchmarks.likelihood`."
    return f"# Likelihood engine: one run of the benchmark\n\n{origin}\n\n{table}\n"


def main() -> None:
    quick = "--quick" in sys.argv
    warnings.simplefilter("ignore", BayesLMMWarning)
    repeats = 3 if quick else 15
    peers = lme4_seconds(repeats, large=not quick)
    rows = [*whole_calls(peers, repeats), refits(peers)]
    rows += [] if quick else large(peers)
    rows += scale(100_000 if quick else ROWS[-1])
    rows += cold_start()
    text = page(rows)
    print(text)
    if not quick:
        PAGE.parent.mkdir(exist_ok=True)
        PAGE.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()

"""The likelihood engine beside lme4 and statsmodels in one run: ``python -m tests.benchmarks.likelihood``.

Prints the tables and writes docs/_benchmarks/likelihood.md, which docs/benchmarks.md includes. `--quick`
leaves out what takes long and says so in the page. Without R or statsmodels their columns say "not measured".
Every timed fit's criterion is held against lme4's stored one, and lme4's own of this run is shown beside.
"""

import argparse
import json
import os
import platform
import sys
import tempfile
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import median
from typing import NamedTuple

import numpy as np

import bayeslmm as bl
from bayeslmm.errors import BayesLMMWarning
from tests.benchmarks import likelihood_cases as cases
from tests.benchmarks import peers

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "_benchmarks" / "likelihood.md"
ROWS = (10_000, 100_000, 1_000_000, 10_000_000)
UNMEASURED = "not measured"


class Line(NamedTuple):
    """A case beside others: median seconds, the ratio it shall reach, and lme4's criterion less ours."""

    what: str
    seconds: float
    lme4: peers.Timed | None
    target: float
    criterion: float
    statsmodels: float | None = None
    remark: str = ""

    @property
    def ratio(self) -> float | None:
        return None if self.lme4 is None else self.lme4.seconds / self.seconds

    @property
    def cells(self) -> tuple[str, ...]:
        other, more = self.lme4, self.statsmodels
        return (
            self.what,
            milliseconds(self.seconds),
            UNMEASURED if other is None else milliseconds(other.seconds),
            UNMEASURED if self.ratio is None else f"**{self.ratio:.1f}**",
            f"{self.target:g}",
            UNMEASURED if more is None else milliseconds(more),
            UNMEASURED if more is None else f"{more / self.seconds:.0f}",
            UNMEASURED if other is None else f"{other.criterion - self.criterion:.1e}",
            self.remark,
        )


def milliseconds(value: float) -> str:
    return f"{1e3 * value:.3g}" if value < 1 else f"{1e3 * value:,.0f}"


def whole_calls(repeats: int) -> Iterator[Line]:
    """From formula and data frame to β̂ and σ̂."""
    for name, (formula, reference) in cases.SMALL.items():
        data = bl.load_dataset(name)
        fit = bl.LinearMixedModel(formula, data).fit()
        cases.check(name, fit.criterion_value, cases.stored(reference))
        taken = peers.seconds(lambda f=formula, d=data: cases.fitted(f, d), 4 * repeats)
        value, other = fit.criterion_value, peers.lme4(name, repeats)
        more = peers.statsmodels(name, data, value, min(repeats, 3))
        yield Line(f"{name}, whole call", taken, other, 4, value, more)


def refits(repeats: int) -> Iterator[Line]:
    """New responses to one model: as arrays, many at once, and one by one."""
    fit = bl.LinearMixedModel(cases.SMALL["sleepstudy"][0], bl.load_dataset("sleepstudy")).fit()
    m = 25
    responses = fit.simulate(m, seed=1)
    y = responses.to_numpy().T.copy()
    many = np.tile(y, (40, 1))
    found = fit.refit_many(many).criterion[:m]
    single = [fit.refit(each).criterion_value for each in y]
    cases.check("refits", float(np.max(np.abs(found / single - 1))) + 1, 1.0)
    other = peers.lme4_refits(responses, repeats)
    last = single[repeats % m]  # R takes the responses in turn, after one call to warm up
    taken = peers.seconds(lambda: fit.refit_many(many), 5) / len(many)
    yield Line("sleepstudy, refit of a new response, arrays", taken, other, 100, last)
    taken = peers.seconds(lambda: [fit.refit(each) for each in y], 3) / m
    yield Line("sleepstudy, `fit.refit(y)`, one by one", taken, other, 1, last)


def large(repeats: int) -> Iterator[Line]:
    """InstEval, 73,421 rows; memory is what the fit adds to a process that holds the data."""
    for name in cases.LARGE:
        found = in_process(name)
        other = peers.lme4(name, repeats)
        memory = f"{found['added_mb']:.0f} MB added"
        memory += "" if other is None else f" (lme4: {other.peak_mb:.0f} MB)"
        remark = f"{found['evaluations']:.0f} evaluations, {memory}"
        yield Line(name.replace("_", ", "), found["seconds"], other, 8, found["criterion"], None, remark)


def in_process(case: str, path: str = "", **environment: str) -> dict[str, float]:
    """Run one case in a process of its own."""
    command = [sys.executable, "-m", "tests.benchmarks.likelihood_cases", case, path]
    printed, taken, _ = peers.run(command, cwd=ROOT, env=os.environ | environment)
    return dict(json.loads(printed.splitlines()[-1])) | {"process": taken}


def scale(largest: int, with_nested: bool) -> Iterator[tuple[str, ...]]:
    """Cost by rows, in memory and from Parquet, and the nested model."""
    with tempfile.TemporaryDirectory() as folder:
        for n in (n for n in ROWS if n <= largest):
            path = Path(folder) / f"{n}.parquet"
            write(path, cases.pieces(n))
            yield from twice(f"{n:,} rows, 1,000 groups", f"rows_{n}", path)
        if with_nested:
            path = Path(folder) / "nested.parquet"
            write(path, [cases.nested_data()])
            yield from twice(
                "1,000,000 rows, 100,000 pupils in 10,000 classes in 500 schools", "nested", path
            )


def write(path: Path, frames: Sequence[object]) -> None:
    """A Parquet file with a row group for each frame."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    tables = [pa.Table.from_pandas(frame) for frame in frames]
    with pq.ParquetWriter(path, tables[0].schema) as file:
        for table in tables:
            file.write_table(table)


def twice(what: str, case: str, path: Path) -> Iterator[tuple[str, ...]]:
    """A case in memory and streamed; both must reach the same criterion, and hold no dense tail."""
    here, there = in_process(case), in_process(case, str(path))
    cases.check(case, there["criterion"], here["criterion"])
    assert here["tail"] == there["tail"] == 0
    for how, found in (("in memory", here), ("Parquet", there)):
        yield (
            what,
            how,
            f"{found['rows']:.2f}",
            f"{1e3 * found['search']:.1f}",
            f"{found['seconds']:.2f}",
            f"{found['peak_mb']:.0f}",
        )


def cold_start(repeats: int) -> Iterator[tuple[str, str, str]]:
    """From a new process to its first REML fit, with nothing compiled and with everything in the cache."""
    with tempfile.TemporaryDirectory() as cache:
        first = in_process("first_fit", NUMBA_CACHE_DIR=cache)
        again = [in_process("first_fit", NUMBA_CACHE_DIR=cache) for _ in range(repeats)]
    for found in (first, *again):
        cases.check("first fit", found["criterion"], cases.stored("sleep_correlated"))
    yield (
        "very first after installation, everything compiled",
        f"{first['process']:.2f}",
        f"{first['seconds']:.2f}",
    )
    warm = [median(found[part] for found in again) for part in ("process", "seconds")]
    yield "compiled code in the cache", f"{warm[0]:.2f}", f"{warm[1]:.2f}"
    other = peers.lme4_process()
    yield "lme4: Rscript, library(lme4), lmer()", UNMEASURED if other is None else f"{other:.2f}", ""


def table(head: Sequence[str], rows: Sequence[Sequence[str]], left: Sequence[int] = (0,)) -> str:
    """A Markdown table."""
    rule = [":---" if place in left else "---:" for place in range(len(head))]
    return "\n".join("| " + " | ".join(line) + " |" for line in (head, rule, *rows))


def machine() -> str:
    """Where and with what this was measured."""
    from threadpoolctl import threadpool_info

    blas = {f"{info['internal_api']} {info['version']}" for info in threadpool_info()} or {"unknown"}
    ours = f"bayeslmm {bl.__version__}, Python {platform.python_version()}, NumPy {np.__version__}"
    ours += f" ({', '.join(sorted(blas))})"
    return f"{os.cpu_count()} cores ({processor()}); {ours}; {peers.lme4_versions() or 'no R'}."


def processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.machine()
    return next(
        (line.split(":")[1].strip() for line in lines if line.startswith("model name")), platform.machine()
    )


BESIDE = (
    "case",
    "bayeslmm, ms",
    "lme4, ms",
    "times faster",
    "aim",
    "statsmodels, ms",
    "times faster",
    "criterion, lme4's less ours",
    "",
)
SCALE = ("case", "data", "rows to cross-products, s", "search, ms", "whole, s", "peak of the process, MB")
COLD = ("", "process, s", "first call in it, s")


def main() -> int:
    """Measure, print, write; the exit code says whether the aims are met."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--quick", action="store_true")
    asked.add_argument("--repeats", type=int, default=25)
    given = asked.parse_args()
    warnings.simplefilter("ignore", BayesLMMWarning)
    repeats = 3 if given.quick else given.repeats
    lines = [*whole_calls(repeats), *refits(repeats), *([] if given.quick else large(3))]
    by_rows = list(scale(100_000 if given.quick else ROWS[-1], not given.quick))
    text = "\n\n".join(
        [
            f"Measured in one {'short run, on a machine at work,' if given.quick else 'run'} on {machine()}",
            table(BESIDE, [line.cells for line in lines], left=(0, 8)),
            table(SCALE, by_rows, left=(0, 1)),
            table(COLD, list(cold_start(1 if given.quick else 5))),
        ]
    )
    print(text)
    PAGE.parent.mkdir(exist_ok=True)
    PAGE.write_text(text + "\n", encoding="utf-8")
    missed = [line.what for line in lines if line.ratio is not None and line.ratio < line.target]
    print("\nbelow their aim: " + ", ".join(missed) if missed else "\nall aims met", file=sys.stderr)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())

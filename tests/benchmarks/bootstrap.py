"""Replicates per second beside bootMer of lme4, one core each: ``python -m tests.benchmarks.bootstrap``.

Needs Rscript with lme4. Both sides simulate new random effects, refit by REML and keep the fixed effects and
variance parameters. What is timed is the second of two runs of the bootstrap here (compiled code
loaded, the fit made), and bootMer alone there. Prints the table and writes docs/_benchmarks/bootstrap.md.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[variable] = "1"  # before NumPy is loaded

import bayeslmm as bl  # noqa: E402
from tests.benchmarks.likelihood import machine, table  # noqa: E402

PAGE = Path(__file__).parents[2] / "docs" / "_benchmarks" / "bootstrap.md"
HEAD = ("case", "replicates", "seconds", "a second", "bootMer, a second", "times faster", "aim")

R_CODE = """
suppressMessages(library(lme4))
arguments <- commandArgs(TRUE)
data <- read.csv(arguments[1])
for (name in strsplit(arguments[4], ",")[[1]]) data[[name]] <- factor(data[[name]])
fit <- lmer(as.formula(arguments[2]), data)
keep <- function(m) c(fixef(m), as.data.frame(VarCorr(m))$sdcor)
took <- system.time(bootMer(fit, keep, nsim = as.integer(arguments[3]), seed = 1))
cat(as.integer(arguments[3]) / took[["elapsed"]], "\\n")
"""


class Case(NamedTuple):
    """A model, the replicates on each side, and how many times faster than bootMer it shall be."""

    dataset: str
    formula: str
    factors: str
    ours: int
    theirs: int
    target: float


def ours(case: Case) -> tuple[float, float]:
    """Replicates per second and seconds for all, after warm-up."""
    fit = bl.LinearMixedModel(case.formula, bl.load_dataset(case.dataset)).fit()
    fit.bootstrap(n=min(200, case.ours), seed=2, progress=False)
    began = time.perf_counter()
    fit.bootstrap(n=case.ours, seed=1, progress=False)
    took = time.perf_counter() - began
    return case.ours / took, took


def theirs(case: Case) -> float:
    """Replicates per second of bootMer."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "data.csv"
        bl.load_dataset(case.dataset).reset_index().to_csv(path, index=False)
        command = ["Rscript", "-e", R_CODE, str(path), case.formula, str(case.theirs), case.factors]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
    return float(done.stdout.split()[-1])


def main() -> int:
    """Run, print, and say by the exit code whether the targets are met."""
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    asked.add_argument("--sleepstudy", type=int, nargs=2, default=(10_000, 200), metavar=("OURS", "THEIRS"))
    asked.add_argument("--insteval", type=int, nargs=2, default=(10, 2), metavar=("OURS", "THEIRS"))
    given = asked.parse_args()
    cases = (
        Case("sleepstudy", "Reaction ~ Days + (Days | Subject)", "Subject", *given.sleepstudy, 200),
        Case(
            "InstEval",
            "y ~ service + (1 | s) + (1 | d) + (1 | dept)",
            "s,d,dept,service",
            *given.insteval,
            10,
        ),
    )
    found = [measured(case) for case in cases if case.ours]
    text = f"Measured in one run on {machine()}\n\n{table(HEAD, [cells for cells, _ in found])}"
    print(text)
    PAGE.write_text(text + "\n", encoding="utf-8")
    return 0 if all(met for _, met in found) else 1


def measured(case: Case) -> tuple[tuple[str, ...], bool]:
    """A line of the table, and whether the aim is met."""
    rate, took = ours(case)
    reference = theirs(case)
    ratio = rate / reference
    numbers = (
        f"{case.ours:,}",
        f"{took:.2f}",
        f"{rate:,.0f}" if rate > 100 else f"{rate:.3g}",
        f"{reference:.3g}",
        f"**{ratio:.0f}**",
    )
    return (case.dataset, *numbers, f"{case.target:.0f}"), ratio >= case.target


if __name__ == "__main__":
    sys.exit(main())

"""Replicates per second beside bootMer of lme4, one core each: python tests/benchmarks/bootstrap.py

Needs Rscript with lme4. Both sides simulate new random effects, refit by REML and keep the fixed effects and
variance parameters. What is timed is the second of two runs of the bootstrap here (compiled code
loaded, the fit made), and bootMer alone there.
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
        table = Path(folder) / "data.csv"
        bl.load_dataset(case.dataset).reset_index().to_csv(table, index=False)
        command = ["Rscript", "-e", R_CODE, str(table), case.formula, str(case.theirs), case.factors]
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
    met = True
    print("dataset     replicates  seconds   per second    bootMer    ratio   target")
    for case in cases:
        if not case.ours:
            continue
        rate, took = ours(case)
        reference = theirs(case)
        ratio = rate / reference
        met &= ratio >= case.target
        print(
            f"{case.dataset:10} {case.ours:11} {took:8.2f} {rate:12.2f} {reference:10.3f} {ratio:8.1f} "
            f"{case.target:8.0f}",
            flush=True,
        )
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())

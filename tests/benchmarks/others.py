"""Whole calls beside everybody's in one run: ``python -m tests.benchmarks.others --python OTHER/bin/python``.

From a formula and a data frame in memory to a REML fit: lme4, nlme, and the Python packages glmm, mixedlm,
lme-python and statsmodels, which live in an environment of their own (``pip install glmm mixedlm lme-python
statsmodels``). Each case of each package is a process of its own, stopped after ``--limit`` seconds. Prints a
table and writes docs/_benchmarks/others.md. A cell has milliseconds and, where it is worse, by how much its
criterion lies above ours. `--quick` leaves the large ones out.
"""

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pandas as pd

import bayeslmm as bl
from tests.benchmarks.likelihood import machine, milliseconds, table
from tests.benchmarks.likelihood_cases import fitted, grouped_data
from tests.benchmarks.peers import seconds

HERE = Path(__file__).parent
PAGE = HERE.parents[1] / "docs" / "_benchmarks" / "others.md"
SEEN = 1e-6  # of the criterion, relative: above it a difference is printed


class Case(NamedTuple):
    """A model and its data; `repeats` of a call that is timed."""

    name: str
    formula: str
    groups: tuple[str, ...]
    repeats: int

    @property
    def data(self) -> pd.DataFrame:
        return grouped_data(1_000_000) if self.name == "a million rows" else bl.load_dataset(self.name)


class Found(NamedTuple):
    """A package's version, median seconds and criterion."""

    version: str
    seconds: float
    criterion: float


CASES = (
    Case("sleepstudy", "Reaction ~ Days + (Days | Subject)", ("Subject",), 20),
    Case("Penicillin", "diameter ~ 1 + (1 | plate) + (1 | sample)", ("plate", "sample"), 20),
    Case("InstEval", "y ~ 1 + service + (1 | s) + (1 | d) + (1 | dept)", ("s", "d", "dept", "service"), 1),
    Case("a million rows", "y ~ x + (x | g)", ("g",), 1),
)
LARGE = ("InstEval", "a million rows")
SCRIPTS = {"lme4": "lmer_times.R", "nlme": "nlme_times.R"}
PYTHON = ("glmm", "mixedlm", "lme-python", "statsmodels")


def ours(case: Case, data: pd.DataFrame) -> Found:
    """The whole call, here."""
    *_, fit = fitted(case.formula, data)  # type: ignore[misc]
    taken = seconds(lambda: fitted(case.formula, data), case.repeats)
    return Found(bl.__version__, taken, fit.criterion_value)


def command(package: str, case: Case, path: str, python: str) -> list[str] | None:
    """What runs a package; None where it can't."""
    asked = [path, case.formula, ",".join(case.groups), str(case.repeats)]
    if package in PYTHON:
        return [python, str(HERE / "python_peers.py"), package, *asked]
    crossed = package == "nlme" and case.formula.count("|") > 1
    rscript = shutil.which("Rscript")
    return None if crossed or rscript is None else [rscript, str(HERE / SCRIPTS[package]), *asked]


def theirs(package: str, case: Case, path: str, python: str, limit: float) -> Found | str:
    """A package's own, or why it has none."""
    asked = command(package, case, path, python)
    if asked is None:
        return "not its model" if package == "nlme" else "not installed"
    try:
        done = subprocess.run(asked, capture_output=True, text=True, timeout=limit, check=True)
    except subprocess.TimeoutExpired:
        return f"more than {limit:g} s"
    except subprocess.CalledProcessError as error:
        return f"failed: {error.stderr.strip().splitlines()[-1][:80]}".replace("|", "/")
    last = done.stdout.strip().splitlines()[-1]
    values = json.loads(last) if package in PYTHON else last.split()
    return Found(values[0], float(values[1]), float(values[2]))


def cell(found: Found | str, least: float) -> str:
    """Milliseconds, and how far above the least criterion."""
    if isinstance(found, str):
        return found
    above = found.criterion - least
    return milliseconds(found.seconds) + (f" (+{above:.2g})" if above > SEEN * abs(least) else "")


def lines(
    cases: tuple[Case, ...], python: str, limit: float, versions: dict[str, str]
) -> Iterator[list[str]]:
    """A row a case; versions are filled as they are seen."""
    for case in cases:
        data = case.data
        with tempfile.TemporaryDirectory() as folder:
            path = f"{folder}/data.csv"
            data.to_csv(path, index=False)
            found = {"bayeslmm": ours(case, data)} | {
                package: theirs(package, case, path, python, limit) for package in (*SCRIPTS, *PYTHON)
            }
        versions |= {name: each.version for name, each in found.items() if isinstance(each, Found)}
        yield [case.name, *(cell(each, found["bayeslmm"].criterion) for each in found.values())]


def main() -> None:
    """Measure, print, write."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--python", default=sys.executable)
    asked.add_argument("--limit", type=float, default=600.0)
    asked.add_argument("--quick", action="store_true")
    given = asked.parse_args()
    chosen = tuple(case for case in CASES if not (given.quick and case.name in LARGE))
    versions: dict[str, str] = {}
    rows = list(lines(chosen, given.python, given.limit, versions))
    text = "\n\n".join(
        [
            f"Measured in one {'short run, on a machine at work,' if given.quick else 'run'} on {machine()}",
            "Others: " + ", ".join(f"{name} {version}" for name, version in versions.items()) + ".",
            table(["whole call, ms", "bayeslmm", *SCRIPTS, *PYTHON], rows),
        ]
    )
    print(text)
    PAGE.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()

"""Peak memory of what people do: ``python -m tests.benchmarks.memory``, each case in a process of its own."""

import json
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Callable
from functools import partial
from pathlib import Path

from tests.benchmarks.likelihood_cases import GROUPED, LARGE, ROOT, SMALL, grouped_data, peak_mb

OUT = ROOT / "docs" / "_benchmarks" / "memory.md"
PIECE = 500_000  # rows written at once


def imported() -> None:
    import bayeslmm  # noqa: F401


def model(name: str):
    import bayeslmm as bl

    formula = {**SMALL, **LARGE, "InstEval": LARGE["InstEval_standard"]}[name][0]
    return bl.LinearMixedModel(formula, bl.load_dataset(name))


def fitted(name: str) -> None:
    model(name).fit()


def in_memory(n: int) -> None:
    import bayeslmm as bl

    bl.LinearMixedModel(GROUPED, grouped_data(n)).fit()


def streamed(n: int) -> None:
    """Rows of a Parquet file, which a process before this one has written."""
    import bayeslmm as bl

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "rows.parquet"
        measured("written", n, path)
        bl.LinearMixedModel(GROUPED, path).fit()


def written(n: int, path: str) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    with pq.ParquetWriter(path, pa.Table.from_pandas(grouped_data(2)).schema) as file:
        for seed in range(-(-n // PIECE)):
            file.write_table(pa.Table.from_pandas(grouped_data(min(PIECE, n), seed)))


def bootstrapped(n: int) -> None:
    model("sleepstudy").fit().bootstrap(n=n, seed=1, progress=False).confint()


def sampled(name: str) -> None:
    """4,000 draws by importance."""
    post = model(name).sample(draws=1000, chains=4, seed=1, method="importance", progress=False)
    post.estimates()


def reported() -> None:
    """Fit, bootstrap, posterior and the page."""
    with tempfile.TemporaryDirectory() as folder:
        model("sleepstudy").parity(boot=200, progress=False).report(Path(folder) / "report.html")


CASES: dict[str, Callable[..., None]] = {
    "`import bayeslmm`": imported,
    "fit of sleepstudy": partial(fitted, "sleepstudy"),
    "fit of InstEval": partial(fitted, "InstEval"),
    "fit of a million rows in memory": partial(in_memory, 1_000_000),
    "fit of a million rows from Parquet": partial(streamed, 1_000_000),
    "fit of ten million rows from Parquet": partial(streamed, 10_000_000),
    "bootstrap of sleepstudy, n = 400": partial(bootstrapped, 400),
    "bootstrap of sleepstudy, n = 4,000": partial(bootstrapped, 4000),
    "posterior of sleepstudy, 4,000 draws by importance": partial(sampled, "sleepstudy"),
    "posterior of InstEval, 4,000 draws by importance": partial(sampled, "InstEval"),
    "parity of sleepstudy and its report": reported,
}


def measured(verb: str, *arguments: object) -> float:
    """Peak memory, MB, of a new process in which a function of this file ran."""
    command = [sys.executable, "-m", __spec__.name, verb, *map(str, arguments)]
    return float(
        json.loads(subprocess.run(command, check=True, capture_output=True, text=True, cwd=ROOT).stdout)
    )


def of_case(case: str) -> float:
    made = CASES[case]
    return measured(made.func.__name__, *made.args) if isinstance(made, partial) else measured(made.__name__)


def main() -> None:
    """Write the table."""
    from tests.benchmarks.likelihood import machine, table

    rows = [(case, f"{of_case(case):,.0f}") for case in CASES]
    text = table(("in a new process", "peak of it, MB"), rows)
    OUT.write_text(f"Measured in one run on {machine()}\n\n{text}\n", encoding="utf-8")


if __name__ == "__main__":
    if len(sys.argv) == 1:
        main()
    else:
        warnings.simplefilter("ignore")
        verb, *given = sys.argv[1:]
        globals()[verb](*(int(each) if each.isdigit() else each for each in given))
        print(json.dumps(peak_mb()))

"""The command line: ``bayeslmm demo``, ``fit``, ``parity``, ``calibrate``, ``rerun`` and ``datasets``.

Tables go to standard output, narration to standard error. Whatever is wrong with the input is found before
long work starts. Exit codes: 0 done; 1 unexpected failure; 2 the input or the output folder can't be used;
3 done and written, but a result's own checks failed; 130 interrupted.
"""

import os
import signal
import sys
import warnings
from collections.abc import Collection, Iterator
from contextlib import AbstractContextManager, contextmanager
from enum import IntEnum
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Annotated, Any, Literal, NoReturn, cast

import typer
from typer.core import TyperGroup

import bayeslmm as bl
from bayeslmm.errors import BayesLMMError, InputError, OptionError, OutputError
from bayeslmm.posterior.options import Method
from bayeslmm.runs.places import prove_file, prove_folder, writing
from bayeslmm.runs.progress import waited

if TYPE_CHECKING:
    import pandas as pd

    from bayeslmm.datasets import Source
    from bayeslmm.model import LinearMixedModel
    from bayeslmm.parity.calibration.methods.base import MethodWord
    from bayeslmm.parity.compare import Parity
    from bayeslmm.parity.whole import Run, RunOptions

type Criterion = Literal["REML", "ML"]

INTERRUPTED = "Interrupted; what a store holds stays."
NAME_ANOTHER = "name another with --out"


class ExitCode(IntEnum):
    """What a finished process says to its caller."""

    DONE = 0
    FAILED = 1
    REFUSED = 2
    UNRESOLVED = 3
    INTERRUPTED = 130


class _Commands(TyperGroup):
    """Turn the package's own errors into one sentence and an exit code, and warnings into narration."""

    def invoke(self, ctx: Any) -> Any:
        try:
            with warnings.catch_warnings():
                warnings.showwarning = lambda message, *_, **__: _say(f"Warning: {message}")
                return super().invoke(ctx)
        except KeyboardInterrupt:
            _leave(INTERRUPTED, ExitCode.INTERRUPTED)
        except BayesLMMError as error:
            refused = isinstance(error, InputError | OutputError)
            _leave(f"Error: {error}", ExitCode.REFUSED if refused else ExitCode.FAILED)


app = typer.Typer(
    cls=_Commands,
    help="One formula, two engines, one report.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


def main() -> None:
    """Run the command line as the console script ``bayeslmm``."""
    signal.signal(signal.SIGINT, _end_at_once)
    app()


def _end_at_once(*_: Any) -> NoReturn:
    """Leave on Ctrl-C, whatever loop or sampler would keep what it has and go on; a store is never torn."""
    shown = "\x1b[?25h" if sys.stderr.isatty() else ""  # the cursor, which a progress bar hides
    os.write(2, f"{shown}\n{INTERRUPTED}\n".encode())
    os._exit(ExitCode.INTERRUPTED)


Formula = Annotated[str, typer.Argument(help="An lme4-style formula, such as 'y ~ x + (x | g)'.")]
Data = Annotated[
    str, typer.Argument(help="A CSV, TSV or Parquet file, - for standard input, or a packaged data set.")
]
Store = Annotated[Path | None, typer.Option(help="A file that keeps finished bootstrap replicates.")]
Na = Annotated[list[str] | None, typer.Option(help="A cell that is a missing value, beside empty ones; NA.")]
Sep = Annotated[str | None, typer.Option(help="What separates cells; seen from the first line.")]
Decimal = Annotated[str | None, typer.Option(help="The decimal mark; seen from the numbers.")]
Encoding = Annotated[str, typer.Option(help="Of the file.")]
Weights = Annotated[str | None, typer.Option(help="The column of prior weights.")]
Seed = Annotated[int, typer.Option(min=0, help="Seed of the bootstrap and of the sampler.")]


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"bayeslmm {bl.__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and leave.")
    ] = False,
) -> None:
    """One formula, two engines, one report."""


@app.command()
def demo(
    out: Annotated[Path, typer.Option(help="Folder for the report.")] = Path("bayeslmm-demo"),
    seed: Seed = 1,
) -> None:
    """Fit, bootstrap and sample the packaged sleep study, compare, and write the report."""
    from bayeslmm.datasets import Source
    from bayeslmm.parity.whole import RunOptions

    _check_folder(out)
    formula = "Reaction ~ Days + (Days | Subject)"
    _say(f"{formula}, from the packaged sleepstudy data")
    _compare(formula, Source("sleepstudy"), out, RunOptions(seed=seed))


@app.command()
def fit(
    formula: Formula,
    data: Data,
    criterion: Annotated[Criterion, typer.Option(help="What is optimized.")] = "REML",
    weights: Weights = None,
    out: Annotated[Path | None, typer.Option(help="CSV file for the estimates, or a folder for it.")] = None,
    na: Na = None,
    sep: Sep = None,
    decimal: Decimal = None,
    encoding: Encoding = "utf-8",
) -> None:
    """Fit a model by ML or REML and print its summary."""
    out = _table_file(out, "fit.csv")
    model = _model(formula, _source(data, na, sep, decimal, encoding), weights)
    with _step(f"Fitting by {criterion}"):
        fitted = model.fit(criterion=criterion)
    typer.echo(fitted.summary())
    _write_table(fitted.estimates().to_frame(), out)
    if not fitted.convergence.converged:
        _leave("The optimum is not proved: see the notes above.", ExitCode.UNRESOLVED)


@app.command()
def parity(
    formula: Formula,
    data: Data,
    out: Annotated[Path, typer.Option(help="Folder for the report, the table and the manifest.")],
    criterion: Annotated[Criterion, typer.Option(help="What is optimized.")] = "REML",
    weights: Weights = None,
    seed: Seed = 1,
    boot: Annotated[
        int | None, typer.Option(min=0, help="Bootstrap replicates; up to 2000, as the budget leaves.")
    ] = None,
    budget: Annotated[float, typer.Option(min=1, help="Seconds that the run should keep to.")] = 300.0,
    draws: Annotated[int, typer.Option(min=4, help="Posterior draws of a chain, after tuning.")] = 1000,
    tune: Annotated[int, typer.Option(min=1, help="Tuning steps of a chain.")] = 1000,
    chains: Annotated[int, typer.Option(min=1, help="Chains.")] = 4,
    method: Annotated[Method, typer.Option(help="How the posterior is computed.")] = "auto",
    calibrated: Annotated[
        int, typer.Option("--calibrate", min=0, help="Data sets simulated to say which interval to trust.")
    ] = 0,
    also: Annotated[
        list[str] | None,
        typer.Option(help="A section that takes its time: intervals or sensitivity; may be repeated."),
    ] = None,
    store: Store = None,
    na: Na = None,
    sep: Sep = None,
    decimal: Decimal = None,
    encoding: Encoding = "utf-8",
) -> None:
    """Run both engines on one model and explain their differences in a report."""
    from bayeslmm.parity.report.sections.base import check_sections
    from bayeslmm.parity.whole import RunOptions

    asked = check_sections(also or ())
    source = _source(data, na, sep, decimal, encoding)
    options = RunOptions(criterion, seed, boot, budget, draws, tune, chains, method, calibrate=calibrated)
    _check_folder(out)
    _compare(formula, source, out, options, weights, store, asked)


@app.command()
def calibrate(
    formula: Formula,
    data: Data,
    n: Annotated[int, typer.Option(min=1, help="Data sets.")] = 1000,
    method: Annotated[list[str] | None, typer.Option(help="An interval; may be repeated.")] = None,
    truth: Annotated[list[str] | None, typer.Option(help="A value, 'beta[x]=5'; others as fitted.")] = None,
    criterion: Annotated[Criterion, typer.Option(help="What is optimized.")] = "REML",
    prob: Annotated[float, typer.Option(help="Probability of the intervals.")] = 0.95,
    error: Annotated[float | None, typer.Option(help="The most that coverage's error may be.")] = None,
    weights: Weights = None,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the data sets.")] = 1,
    jobs: Annotated[int, typer.Option(help="Processes; -1 for all cores.")] = 1,
    store: Annotated[Path | None, typer.Option(help="A file that keeps finished data sets.")] = None,
    out: Annotated[Path | None, typer.Option(help="CSV file for the table, or a folder for it.")] = None,
    na: Na = None,
    sep: Sep = None,
    decimal: Decimal = None,
    encoding: Encoding = "utf-8",
) -> None:
    """Simulate data for this design and say which interval to trust."""
    from joblib import parallel_config

    out = _table_file(out, "calibration.csv")
    model = _model(formula, _source(data, na, sep, decimal, encoding), weights)
    values = dict(_value(text) for text in truth or ())
    with parallel_config("loky"):
        found = bl.calibrate(
            model,
            truth=values,
            n=n,
            methods=cast("list[MethodWord] | None", method),
            prob=prob,
            criterion=criterion,
            error=error,
            seed=seed,
            n_jobs=jobs,
            store=store,
        )
    typer.echo(found)
    _write_table(found.table, out)


def _value(text: str) -> tuple[str, float]:
    """A label and its value.

    Raises
    ------
    OptionError
        For anything else.
    """
    label, _, value = text.rpartition("=")
    try:
        return label, float(value)
    except ValueError:
        raise OptionError(f"--truth {text!r} isn't a label and a number, such as 'beta[x]=5'") from None


@app.command()
def rerun(
    manifest: Annotated[Path, typer.Argument(help="The manifest.json that parity wrote.")],
    data: Annotated[
        str | None, typer.Option(help="Where the rows are now; otherwise where the manifest says.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Folder for a new report, table and manifest.")] = None,
) -> None:
    """Do a run again from its manifest: check data and versions, list what came out differently."""
    from bayeslmm.datasets import Source

    if out is not None:
        _check_folder(out)
    with _step("Running again"):
        found = bl.rerun(manifest, None if data is None else Source(data).read())
    typer.echo(found)
    if out is not None:
        typer.echo(_write(found.parity, out))
    if not found.same:
        raise typer.Exit(ExitCode.UNRESOLVED)


@app.command()
def datasets() -> None:
    """List the packaged data sets: a name, the rows, and what they are used for."""
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, header_style="")
    for column in ("name", "rows", "use"):
        table.add_column(column, justify="right" if column == "rows" else "left")
    for _, fact in bl.list_datasets().iterrows():
        table.add_row(str(fact["name"]), str(fact["rows"]), str(fact["use"]))
    Console().print(table)


def _source(data: str, na: list[str] | None, sep: str | None, decimal: str | None, encoding: str) -> "Source":
    from bayeslmm.datasets import Source, TextFormat

    tab = {"\\t": "\t", "tab": "\t"}  # hard to type
    return Source(data, TextFormat(tuple(na or ("NA",)), sep and tab.get(sep, sep), decimal, encoding))


def _model(formula: str, source: "Source", weights: str | None = None) -> "LinearMixedModel":
    table = source.read()  # first: a mistyped path need not wait for the engines to load
    return bl.LinearMixedModel(formula, table, weights=weights)


def _compare(
    formula: str,
    source: "Source",
    out: Path,
    options: "RunOptions",
    weights: str | None = None,
    store: Path | None = None,
    also: Collection[str] = (),
) -> None:
    """Run both engines, print their tables, write report, table and manifest, and name the report."""
    from bayeslmm.parity.whole import Run

    run = Run(_model(formula, source, weights), options, store, data=source.stated())
    with _step(f"Fitting by {options.criterion}"):
        fitted = run.fit
    typer.echo(fitted.summary())
    _say(f"To come:\n{run.said}")
    if run.replicates:
        with _step(f"Bootstrapping, {run.replicates} replicates"):
            _ = run.bootstrap
    with _sampling(run):
        posterior = run.posterior
    typer.echo(posterior.summary())
    if options.calibrate:
        with _step(f"Calibrating, {options.calibrate} data sets"):
            typer.echo(run.calibration)
    with _silent("Comparing", run.of_ladder.seconds):
        par = run.parity
        told = par.verdicts.explained and par.verdicts.checked
    typer.echo(par.verdicts)
    certified = _certify(par)
    with _silent("Writing the report"):
        report = _write(par, out, also)
    typer.echo(report)
    if not (fitted.convergence.converged and certified and told):
        _leave("Not everything is explained: see the verdicts and checks of the report.", ExitCode.UNRESOLVED)


def _sampling(run: "Run") -> AbstractContextManager[None]:
    """The posterior's step: NUTS shows its own progress."""
    what = f"Sampling the posterior, {run.options.chains} chains of {run.options.draws} draws"
    return _step(what) if run.by_nuts else _silent(what, run.of_posterior.seconds)


def _certify(par: "Parity") -> bool:
    """Print the certificate, or why there is none; whether nothing has failed."""
    if par.uncertified:
        typer.echo(f"Certificate: {par.uncertified}")
        return True
    with _silent("Certifying"):
        certificate = par.certificate
    typer.echo(certificate.sentence)
    return certificate.passed


def _write(par: "Parity", out: Path, also: Collection[str] = ()) -> Path:
    """The table, the manifest and the report, whose path is given."""
    with writing(f"the folder {out}", NAME_ANOTHER):
        par.table.to_csv(out / "parity.csv", index=False)
        (out / "manifest.json").write_text(par.manifest.to_json(), encoding="utf-8")
    return par.report(out / "parity.html", also=also)


def _table_file(out: Path | None, name: str) -> Path | None:
    """The file that a table goes to, in a folder by this name; proved before anything is computed for it."""
    return None if out is None else prove_file(out, name, NAME_ANOTHER)


def _write_table(table: "pd.DataFrame", out: Path | None) -> None:
    """A table as CSV, and where it is."""
    if out is None:
        return
    with writing(f"the file {out}", NAME_ANOTHER):
        table.to_csv(out)
    typer.echo(out)


def _check_folder(folder: Path) -> None:
    """Make the folder and prove that its files can be written, before anything is computed for them."""
    prove_folder(folder, NAME_ANOTHER)
    for name in ("parity.csv", "manifest.json", "parity.html", "parity.md", "parity.tex"):
        prove_file(folder / name, advice=NAME_ANOTHER)


@contextmanager
def _step(what: str) -> Iterator[None]:
    """Say what is being done, then how long it took."""
    start = perf_counter()
    _say(f"{what} ...")
    yield
    _say(f"  {perf_counter() - start:.1f} s")


@contextmanager
def _silent(what: str, of: float | None = None) -> Iterator[None]:
    """A step that can't say how far it is, of about so many seconds: how long it has taken, now and then."""
    with _step(what), waited(what, of):
        yield


def _say(text: str) -> None:
    typer.echo(text, err=True)


def _leave(text: str, code: ExitCode) -> NoReturn:
    _say(text)
    raise typer.Exit(code)


if __name__ == "__main__":
    main()

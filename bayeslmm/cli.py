"""The command line: ``bayeslmm demo``, ``bayeslmm fit`` and ``bayeslmm parity``.

Tables go to standard output, narration to standard error. Whatever is wrong with the input is found before
long work starts. Exit codes: 0 done; 1 unexpected failure; 2 the input or the output folder can't be used;
3 done and written, but a result's own checks failed; 130 interrupted.
"""

import os
import signal
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Annotated, Any, Literal, NoReturn

import typer
from typer.core import TyperGroup

import bayeslmm as bl
from bayeslmm.errors import BayesLMMError, InputError, OutputError
from bayeslmm.posterior.options import Method
from bayeslmm.runs.places import prove_file, prove_folder, writing

if TYPE_CHECKING:
    import pandas as pd

    from bayeslmm.datasets import TextFormat
    from bayeslmm.model import LinearMixedModel

type Criterion = Literal["REML", "ML"]

STDIN = "-"
INTERRUPTED = "Interrupted; what a store holds stays."
NAME_ANOTHER = "name another with --out"


class ExitCode(IntEnum):
    """What a finished process says to its caller."""

    DONE = 0
    FAILED = 1
    REFUSED = 2
    UNRESOLVED = 3
    INTERRUPTED = 130


@dataclass(frozen=True, slots=True, eq=False)
class Settings:
    """The choices of one run of both engines."""

    criterion: Criterion = "REML"
    seed: int = 1
    boot: int = 2000
    draws: int = 1000
    tune: int = 1000
    chains: int = 4
    method: Method = "auto"
    store: Path | None = None


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
    _check_folder(out)
    formula = "Reaction ~ Days + (Days | Subject)"
    _say(f"{formula}, from the packaged sleepstudy data")
    _compare(bl.LinearMixedModel(formula, bl.load_dataset("sleepstudy")), out, Settings(seed=seed))


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
    if out is not None:
        out = prove_file(out, "fit.csv", NAME_ANOTHER)
    model = _model(formula, data, weights, _written(na, sep, decimal, encoding))
    with _step(f"Fitting by {criterion}"):
        fitted = model.fit(criterion=criterion)
    typer.echo(fitted.summary())
    if out is not None:
        with writing(f"the file {out}", NAME_ANOTHER):
            fitted.estimates().to_frame().to_csv(out)
        typer.echo(out)
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
    boot: Annotated[int, typer.Option(min=2, help="Bootstrap replicates.")] = 2000,
    draws: Annotated[int, typer.Option(min=4, help="Posterior draws of a chain, after tuning.")] = 1000,
    tune: Annotated[int, typer.Option(min=1, help="Tuning steps of a chain.")] = 1000,
    chains: Annotated[int, typer.Option(min=1, help="Chains.")] = 4,
    method: Annotated[Method, typer.Option(help="How the posterior is computed.")] = "auto",
    store: Store = None,
    na: Na = None,
    sep: Sep = None,
    decimal: Decimal = None,
    encoding: Encoding = "utf-8",
) -> None:
    """Run both engines on one model and explain their differences in a report."""
    _check_folder(out)
    model = _model(formula, data, weights, _written(na, sep, decimal, encoding))
    _compare(model, out, Settings(criterion, seed, boot, draws, tune, chains, method, store))


def _written(na: list[str] | None, sep: str | None, decimal: str | None, encoding: str) -> "TextFormat":
    from bayeslmm.datasets import TextFormat

    tab = {"\\t": "\t", "tab": "\t"}  # hard to type
    return TextFormat(tuple(na or ("NA",)), sep and tab.get(sep, sep), decimal, encoding)


def read_data(source: str, written: "TextFormat | None" = None) -> "pd.DataFrame":
    """Read standard input, a file, or else a packaged data set of that name.

    Raises
    ------
    DataError
        When there is neither, or the file can't be read as a table.
    """
    path = Path(source)
    if source == STDIN or path.suffix or path.exists():
        from bayeslmm.datasets import read_table

        return read_table(source, written)
    return bl.load_dataset(source)


def _model(formula: str, data: str, weights: str | None, written: "TextFormat") -> "LinearMixedModel":
    table = read_data(data, written)  # first: a mistyped path need not wait for the engines to load
    return bl.LinearMixedModel(formula, table, weights=weights)


def _compare(model: "LinearMixedModel", out: Path, run: Settings) -> None:
    """Run both engines, print their tables, write report, table and manifest, and name the report."""
    with _step(f"Fitting by {run.criterion}"):
        fitted = model.fit(criterion=run.criterion)
    typer.echo(fitted.summary())
    with _step(f"Bootstrapping, {run.boot} replicates"):
        bootstrap = fitted.bootstrap(n=run.boot, seed=run.seed, store=run.store)
    with _step(f"Sampling the posterior, {run.chains} chains of {run.draws} draws"):
        posterior = model.sample(
            draws=run.draws, tune=run.tune, chains=run.chains, seed=run.seed, method=run.method
        )
    typer.echo(posterior.summary())
    with _step("Comparing"):
        par = bl.compare(fitted, bootstrap, posterior)
        certificate = par.certificate
    typer.echo(par.verdicts)
    typer.echo(certificate.sentence)
    with _step("Writing the report"):
        with writing(f"the folder {out}", NAME_ANOTHER):
            par.table.to_csv(out / "parity.csv", index=False)
            (out / "manifest.json").write_text(par.manifest.to_json(), encoding="utf-8")
        report = par.report(out / "parity.html")
    typer.echo(report)
    told = par.verdicts.explained and par.verdicts.checked
    if not (fitted.convergence.converged and par.certificate.passed and told):
        _leave("Not everything is explained: see the verdicts and checks of the report.", ExitCode.UNRESOLVED)


def _check_folder(folder: Path) -> None:
    """Make the folder and prove that its files can be written, before anything is computed for them."""
    prove_folder(folder, NAME_ANOTHER)
    for name in ("parity.csv", "manifest.json", "parity.html"):
        prove_file(folder / name, advice=NAME_ANOTHER)


@contextmanager
def _step(what: str) -> Iterator[None]:
    """Say what is being done, then how long it took."""
    start = perf_counter()
    _say(f"{what} ...")
    yield
    _say(f"  {perf_counter() - start:.1f} s")


def _say(text: str) -> None:
    typer.echo(text, err=True)


def _leave(text: str, code: ExitCode) -> NoReturn:
    _say(text)
    raise typer.Exit(code)


if __name__ == "__main__":
    main()

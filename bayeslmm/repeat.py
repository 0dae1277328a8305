"""Do a run again from its manifest, and say what came out differently. A manifest is data, never code."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from bayeslmm.errors import DataError, InputError, OptionError
from bayeslmm.markup import html_table, paragraph
from bayeslmm.parity.whole import Run, RunOptions
from bayeslmm.runs.manifest import Manifest, package_versions
from bayeslmm.spec.stated import restated

if TYPE_CHECKING:
    from bayeslmm.parity.compare import Parity

TABLE = "parity.csv"
TOLERANCE = 1e-9  # of the larger of two numbers, between which there is a difference
KEY = ["label", "interval"]
COLUMNS = ("label", "interval", "column", "then", "now")


@dataclass(frozen=True, eq=False)
class Rerun:
    """A run done again.

    Attributes
    ----------
    manifest : of the run before. parity : what came out now.
    versions : DataFrame `package, then, now` of those that differ.
    differences : DataFrame `label, interval, column, then, now`; empty where the tables are the same.
    """

    manifest: Manifest
    parity: "Parity"
    versions: pd.DataFrame
    differences: pd.DataFrame

    @property
    def same(self) -> bool:
        """Whether every number of the table came out again."""
        return self.differences.empty

    @property
    def sentence(self) -> str:
        n, numbers = len(self.differences), self.parity.table.size
        versions = f"; {len(self.versions)} versions differ" if len(self.versions) else ""
        if self.same:
            return f"Every number of the table came out again{versions}."
        return f"{n} of {numbers} cells of the table came out differently{versions}."

    def __repr__(self) -> str:
        tables = [frame.to_string(index=False) for frame in (self.versions, self.differences) if len(frame)]
        return "\n\n".join([self.sentence, *tables])

    def _repr_html_(self) -> str:
        tables = [html_table(frame) for frame in (self.versions, self.differences) if len(frame)]
        return "".join([paragraph(self.sentence), *tables])


def rerun(manifest: str | Path, data: Any = None, *, table: Any = None, progress: bool = True) -> Rerun:
    """Do a run again and compare its table with the one it wrote.

    Parameters
    ----------
    manifest : the file `manifest.json` of a run.
    data : the rows, as `LinearMixedModel` takes them; None for where the manifest says they were.
    table : the run's table, or its file; None for `parity.csv` beside the manifest.

    Raises
    ------
    InputError
        For a file that isn't a manifest of a whole run, or one of other data; before any long work.
    """
    path = Path(manifest)
    found = Manifest.from_json(_text(path))
    before = _table(path.parent / TABLE if table is None else table)
    run = again(found, data, progress)
    _check_data(found, run)
    parity = run.parity
    return Rerun(found, parity, _versions(found), differences(before, parity.table))


def again(manifest: Manifest, data: Any = None, progress: bool = True) -> Run:
    """The run that a manifest speaks of, with nothing of it done yet.

    Raises
    ------
    InputError
        When the manifest doesn't hold the model or its options, or the data aren't found.
    """
    from bayeslmm.model import LinearMixedModel

    arguments, priors = restated(manifest.options.get("model"))
    rows = _rows(manifest, data)
    model = LinearMixedModel(data=rows, **arguments).with_priors(priors)
    told = manifest.options.get("data")
    return Run(model, _options(manifest), progress=progress, data=told if isinstance(told, Mapping) else {})


def differences(then: pd.DataFrame, now: pd.DataFrame) -> pd.DataFrame:
    """Cells of two tables that differ, rows that only one of them has among them.

    Columns: `label, interval, column, then, now`.
    """
    before, after = (_keyed(frame) for frame in (then, now))
    rows = [row for key in before.index.union(after.index, sort=False) for row in _cells(key, before, after)]
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _cells(key: tuple[str, str], then: pd.DataFrame, now: pd.DataFrame) -> Iterator[tuple[Any, ...]]:
    if key not in then.index or key not in now.index:
        yield (*key, "row", *("there" if key in frame.index else "missing" for frame in (then, now)))
        return
    for column in now.columns:
        before = then.loc[key, column] if column in then else "missing"
        if _differ(before, after := now.loc[key, column]):
            yield (*key, str(column), before, after)


def _differ(then: Any, now: Any) -> bool:
    if pd.isna(then) and pd.isna(now):
        return False
    if isinstance(then, float | int) and isinstance(now, float | int):
        return not np.isclose(then, now, rtol=TOLERANCE, atol=0.0)
    return bool(then != now)


def _keyed(frame: pd.DataFrame) -> pd.DataFrame:
    keyed = frame.assign(interval=frame["interval"].astype(object).where(frame["interval"].notna(), ""))
    return keyed.astype(dict.fromkeys(keyed.select_dtypes("number"), float)).set_index(KEY)


def _options(manifest: Manifest) -> RunOptions:
    found = manifest.options.get("run")
    if not isinstance(found, Mapping) or set(found) != {each.name for each in fields(RunOptions)}:
        raise OptionError("this manifest isn't of a whole run of this version: it lacks the run's options")
    try:
        return RunOptions(**{str(name): value for name, value in found.items()})
    except TypeError as error:
        raise OptionError(f"the run's options can't be read: {error}") from None


def _rows(manifest: Manifest, data: Any) -> Any:
    from bayeslmm.datasets import Source

    if data is not None:
        return data
    told = manifest.options.get("data")
    if not isinstance(told, Mapping) or not told:
        raise DataError(
            "the manifest doesn't say where its rows were; give data=, on the command line --data"
        )
    return Source.of(told).read()


def _check_data(manifest: Manifest, run: Run) -> None:
    from bayeslmm.parity.record import hash_of

    now = hash_of(run.model.design)
    if now != manifest.data_hash:
        raise InputError(
            f"the manifest is of other data: its hash begins with {manifest.data_hash[:12]}, that of these "
            f"rows with {now[:12]}; give the rows it was made from, in their order"
        )


def _versions(manifest: Manifest) -> pd.DataFrame:
    now = package_versions()
    names = [name for name in {**manifest.versions, **now} if manifest.versions.get(name) != now.get(name)]
    rows = [(name, manifest.versions.get(name, "none"), now.get(name, "none")) for name in names]
    return pd.DataFrame(rows, columns=["package", "then", "now"])


def _table(source: Any) -> pd.DataFrame:
    if isinstance(source, pd.DataFrame):
        return source
    try:
        return pd.read_csv(source)
    except (OSError, ValueError) as error:
        raise InputError(f"the table of the run can't be read from {source}: {error}; give table=") from None


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        raise InputError(f"the manifest {path} can't be read: {error}") from None

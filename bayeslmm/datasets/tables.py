"""Reading a table from a file: CSV, gzipped or not, and Parquet where pyarrow is installed."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from bayeslmm.errors import DataError, did_you_mean

_READABLE = (".csv", ".csv.gz", ".parquet")


def read_csv(path: Path, text: Sequence[str] = ()) -> pd.DataFrame:
    """A CSV file (gzipped when its name ends in .gz): `NA` alone is missing, `None` is a text like any other.

    Parameters
    ----------
    text : columns that are text even where they look like numbers
    """
    types = dict.fromkeys(text, str)
    return pd.read_csv(path, keep_default_na=False, na_values=["NA"], dtype=types)


def read_table(path: str | Path) -> pd.DataFrame:
    """A table from a .csv, .csv.gz or .parquet file; text columns stay text.

    Raises
    ------
    DataError
        When the file isn't there, can't be read or has no rows, or a column of numbers has empty cells.
    """
    path = Path(path)
    _check_path(path)
    try:
        data = pd.read_parquet(path) if path.suffix == ".parquet" else read_csv(path)
    except ImportError:
        raise DataError(
            f"{path} is a Parquet file, which needs pyarrow: pip install pyarrow, or use CSV"
        ) from None
    except (OSError, ValueError, EOFError) as error:  # pandas' parser errors are ValueErrors
        raise DataError(f"{path} can't be read: {_first_line(error)}") from None
    if data.empty:
        raise DataError(f"{path} has no rows of data; its first line should name the columns")
    _check_empty_cells(data, path)
    return data


def _check_path(path: Path) -> None:
    if path.is_dir():
        raise DataError(f"{path} is a folder; give a file in it")
    if not path.exists():
        siblings = [file.name for file in path.parent.iterdir()] if path.parent.is_dir() else []
        hint = did_you_mean(path.name, siblings) or "; is the path right?"
        raise DataError(f"there is no file {path}{hint}")
    if not path.name.endswith(_READABLE):
        raise DataError(f"{path} isn't a kind of file that can be read; there are {', '.join(_READABLE)}")


def _check_empty_cells(data: pd.DataFrame, path: Path) -> None:
    """An empty cell among numbers would make a factor of the whole column."""
    for name in data.columns[data.dtypes.map(pd.api.types.is_string_dtype)]:
        filled = data[name][data[name].ne("")]
        if len(filled) < len(data) and len(filled) and pd.to_numeric(filled, errors="coerce").notna().all():
            raise DataError(
                f"column {name!r} of {path} holds numbers and empty cells ({len(data) - len(filled)}); "
                "a missing value is written NA"
            )


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0] or type(error).__name__

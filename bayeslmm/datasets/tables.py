"""Reading a table from a file: text, gzipped or not, and Parquet where pyarrow is installed."""

import csv
import gzip
import io
import re
import sys
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain, islice
from os import PathLike
from pathlib import Path
from typing import Any

import pandas as pd

from bayeslmm.errors import DataError, OptionError, did_you_mean

STDIN = "-"

_TEXT = (".csv", ".tsv", ".tab", ".txt")
_READABLE = (*_TEXT, *(f"{suffix}.gz" for suffix in _TEXT), ".parquet")
_MARKS = {b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}
_SEPARATORS = (",", ";", "\t")
_MISSING_ELSEWHERE = {"nan", "null", "none", "n/a", "na", "#n/a", "<na>", "nil", "missing", ".", "-", "?"}


@dataclass(frozen=True, slots=True)
class TextFormat:
    """How a table is written as text.

    Attributes
    ----------
    na : cells that are missing values; an empty cell is one anyway.
    sep : between cells; None for what the first line has most of, comma, semicolon or tab.
    decimal : mark; None for a comma where cells are separated by something else and numbers have commas.
    encoding : of the bytes; UTF-16 is seen by its mark.
    """

    na: tuple[str, ...] = ("NA",)
    sep: str | None = None
    decimal: str | None = None
    encoding: str = "utf-8"

    def __post_init__(self) -> None:
        """Check the options.

        Raises
        ------
        OptionError
            For a mark of several characters, two that are one, or an unknown encoding.
        """
        for name in ("sep", "decimal"):
            value = getattr(self, name)
            if value is not None and len(value) != 1:
                raise OptionError(f"{name} is one character, got {value!r}")
        if self.sep is not None and self.sep == self.decimal:
            raise OptionError(f"sep and decimal are both {self.sep!r}; they must differ")
        try:
            "".encode(self.encoding)
        except LookupError:
            raise OptionError(
                f"the encoding {self.encoding!r} isn't known; usual ones are utf-8, latin-1 and cp1252"
            ) from None


def read_csv(path: Path, text: Sequence[str] = ()) -> pd.DataFrame:
    """A packaged CSV file (gzipped when its name ends in .gz): `NA` alone is missing.

    Parameters
    ----------
    text : columns that are text even where they look like numbers
    """
    types = dict.fromkeys(text, str)
    return pd.read_csv(path, keep_default_na=False, na_values=["NA"], dtype=types)


def names_text_table(data: Any) -> bool:
    """Whether data are named by the path of a table written as text."""
    return isinstance(data, str | PathLike) and str(data).removesuffix(".gz").endswith(_TEXT)


def read_table(path: str | PathLike[str], written: TextFormat | None = None) -> pd.DataFrame:
    """A table from a .csv, .tsv or .txt file, gzipped or not, a .parquet file, or standard input, ``-``.

    An empty cell and `NA` are missing values; any other text is a value, `None` too.

    Parameters
    ----------
    written : how it is written as text, where that isn't seen from the text itself

    Raises
    ------
    DataError
        When the file isn't there, can't be read or has no rows, or numbers stand beside a text that other
        programs write for a missing value.
    """
    path = Path(path)
    data = _read_parquet(path) if path.suffix == ".parquet" else _read_text(path, written or TextFormat())
    if data.empty:
        raise DataError(f"{path} has no rows of data; its first line should name the columns")
    return data


def _read_parquet(path: Path) -> pd.DataFrame:
    _check_path(path)
    try:
        return pd.read_parquet(path)
    except ImportError:
        raise DataError(
            f"{path} is a Parquet file, which needs pyarrow: pip install pyarrow, or use CSV"
        ) from None
    except (OSError, ValueError) as error:
        raise DataError(f"{path} can't be read: {_first_line(error)}") from None


def _read_text(path: Path, written: TextFormat) -> pd.DataFrame:
    try:
        data = _parsed(_decoded(_bytes(path), written.encoding), written)
    except UnicodeError as error:
        raise DataError(
            f"{path} can't be read as {written.encoding} ({_first_line(error)}); give its encoding, such as "
            "latin-1 or cp1252 (--encoding on the command line)"
        ) from None
    except (
        OSError,
        ValueError,
        EOFError,
        zlib.error,
        csv.Error,
    ) as error:  # pandas' parser errors are ValueErrors
        raise DataError(f"{path} can't be read: {_first_line(error)}") from None
    _check_missing_elsewhere(data, path)
    return data


def _bytes(path: Path) -> bytes:
    if str(path) == STDIN:
        content = sys.stdin.buffer.read()
    else:
        _check_path(path)
        content = path.read_bytes()
    return gzip.decompress(content) if content.startswith(b"\x1f\x8b") else content


def _decoded(content: bytes, encoding: str) -> str:
    """The text, its lines ended as everywhere."""
    text = content.decode(_MARKS.get(content[:2], encoding)).removeprefix("\ufeff")
    return re.sub("\r\n?", "\n", text)


def _parsed(text: str, written: TextFormat) -> pd.DataFrame:
    sep = written.sep or _most_frequent_separator(text)
    data = _frame(text, sep, written.decimal or ".", written.na)
    if written.decimal is None and sep != "," and _has_decimal_commas(data):
        return _frame(text, sep, ",", written.na)
    return data


def _most_frequent_separator(text: str) -> str:
    """Of the first line with anything in it, outside quotes; a comma where there is none."""
    head = re.sub(r'"[^"]*"', "", text.lstrip("\r\n").partition("\n")[0])
    return max(_SEPARATORS, key=head.count)


def _frame(text: str, sep: str, decimal: str, na: tuple[str, ...]) -> pd.DataFrame:
    named = _has_row_names(text, sep)
    data = pd.read_csv(
        io.StringIO(text),
        sep=sep,
        decimal=decimal,
        keep_default_na=False,
        na_values=["", *na],
        index_col=0 if named else False,
    )
    return data.reset_index(drop=True)


def _has_row_names(text: str, sep: str) -> bool:
    """Whether the first row has one cell more than the line of names, as R writes names of rows.

    Raises
    ------
    ValueError
        When it has more for which there are no names.
    """
    names, first = islice(chain(filter(None, csv.reader(io.StringIO(text), delimiter=sep)), [[], []]), 2)
    if len(first) == len(names) + 1 and first[-1] == "":
        raise ValueError("its lines have one cell more than its first line; is there a separator at the end?")
    if len(first) > len(names) + 1:
        raise ValueError(
            f"its first line names {len(names)} columns, the next has {len(first)} cells; is it a title?"
        )
    return len(first) == len(names) + 1


def _has_decimal_commas(data: pd.DataFrame) -> bool:
    texts = (data[name].dropna() for name in _text_columns(data))
    return any(len(values) and values.str.fullmatch(r"\s*[+-]?\d*(,\d*)?\s*").all() for values in texts)


def _text_columns(data: pd.DataFrame) -> list[str]:
    return [name for name in data.columns if pd.api.types.is_string_dtype(data[name].dropna())]


def _check_path(path: Path) -> None:
    try:
        known = path.is_dir(), path.exists(), path.is_file()
    except (OSError, ValueError) as error:
        raise DataError(f"{str(path)[:80]} can't be read: {_first_line(error)}") from None
    is_folder, is_there, is_file = known
    if is_folder:
        raise DataError(f"{path} is a folder; give a file in it")
    if not is_there:
        siblings = [file.name for file in path.parent.iterdir()] if path.parent.is_dir() else []
        hint = did_you_mean(path.name, siblings) or "; is the path right?"
        raise DataError(f"there is no file {path}{hint}")
    if is_file and not path.name.endswith(_READABLE):  # a pipe has no suffix
        raise DataError(f"{path} isn't a kind of file that can be read; there are {', '.join(_READABLE)}")


def _check_missing_elsewhere(data: pd.DataFrame, path: Path) -> None:
    """A text for missing values among numbers would make a factor of the whole column."""
    for name in _text_columns(data):
        values = data[name].dropna()
        other = values[pd.to_numeric(values.str.replace(",", "."), errors="coerce").isna()]
        words = set(other.str.strip().str.lower())
        if len(other) < len(values) and words and words <= _MISSING_ELSEWHERE:
            seen = other.iloc[0]
            raise DataError(
                f"column {name!r} of {path} holds numbers and {seen!r} ({len(other)} cells); a missing value "
                f"is written NA or left empty, or say so: na=({seen!r},), on the command line --na {seen!r}"
            )


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0] or type(error).__name__

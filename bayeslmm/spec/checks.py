"""Bad input, one clear error each: what was seen, the usual cause, the next step."""

import re
from collections import Counter
from collections.abc import Hashable, Iterable, Mapping, Sequence
from decimal import Decimal
from math import isfinite
from numbers import Real
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bayeslmm.errors import DataError, DesignWarning, OptionError, caution, did_you_mean

from .given import LARGEST, check_sizes
from .parsed import Bar

type Array = NDArray[np.float64]


def as_frame(data: Any) -> pd.DataFrame:
    """The data as a pandas DataFrame; polars and Arrow tables are converted, lazy ones of polars collected.

    Raises
    ------
    DataError
        When they aren't a table, or a package that converts them is missing.
    """
    if isinstance(data, pd.DataFrame):
        names = data.columns
        if names.nlevels > 1:
            raise DataError(f"columns have {names.nlevels} names each, such as {names[0]!r}; give them one")
        return data if names.inferred_type == "string" and not names.hasnans else data.rename(columns=str)
    if isinstance(data, Mapping):
        return _from_mapping(data)
    if hasattr(data, "to_pandas"):
        return _converted(data)
    if hasattr(data, "collect_schema"):
        return _converted(data.collect())
    raise DataError(f"data are a pandas DataFrame or something like it, not a {type(data).__name__}")


def _converted(table: Any) -> pd.DataFrame:
    """A table of another package by its own conversion, which may need a third one."""
    try:
        return pd.DataFrame(table.to_pandas())
    except ImportError as error:
        raise DataError(
            f"{type(table).__name__} isn't converted to pandas ({error}): install what is named, or give a "
            "mapping from names to columns"
        ) from None


def _from_mapping(data: Mapping[Any, Any]) -> pd.DataFrame:
    """A mapping from names to columns; where all are single values, one row."""
    single = all(isinstance(value, str) or not np.iterable(value) for value in data.values())
    try:
        return pd.DataFrame(dict(data), index=[0] if single and data else None).rename(columns=str)
    except ValueError as error:
        raise DataError(f"these columns make no table: {error}") from None


def check_columns(roles: Mapping[str, str], names: pd.Index, hints: Mapping[str, str] = {}) -> None:
    """Every column asked for is there, once.

    Parameters
    ----------
    roles : what each column is for. names : the data's. hints : what to do without a column, by its role.
    """
    flat = names.to_flat_index()
    for name, role in roles.items():
        if name not in flat:
            listed = flat.tolist()
            hint = did_you_mean(name, listed) or hints.get(role) or f"; the columns are {_some(listed)}"
            raise DataError(f"{role} {name!r} is not in the data{hint}")
        if not flat.is_unique and (times := flat.tolist().count(name)) > 1:
            raise DataError(f"{role} {name!r} is in the data {times} times; rename all but one")


def check_missing(counts: Mapping[str, int], n_given: int, n: int, allowed: bool) -> None:
    """Some row is there at all, no column is missing throughout, and rows may be dropped, but not all.

    Parameters
    ----------
    counts : missing values by column. n_given, n : rows, and complete ones.
    """
    if n_given == 0:
        raise DataError("the data have no rows")
    for name, count in counts.items():
        if count == n_given:
            raise DataError(f"column {name!r} is missing in every row; leave it out or fill it")
    listed = ", ".join(f"{name!r} in {count}" for name, count in counts.items() if count)
    if listed and not allowed:
        raise DataError(f"values are missing ({listed} rows); drop them by missing='drop', or fill them")
    if n == 0:
        raise DataError(f"no row is complete: values are missing in {listed} rows")


def check_finite(name: str, values: Array, rows: NDArray[np.int64]) -> None:
    """No infinite value in a column, nor a NaN in what was computed from complete rows."""
    if isfinite(values.sum()) or np.isfinite(values).all():
        return
    place = int(np.flatnonzero(~np.isfinite(values))[0])
    raise DataError(
        f"{name!r} is {values[place]} in row {int(rows[place])} (rows count from 0); "
        "a logarithm of 0 or a division by 0 does that; leave such rows out or set them missing"
    )


def check_computed(names: Sequence[str], columns: Array, rows: NDArray[np.int64]) -> None:
    """No value of computed columns (n, k) is infinite or NaN, and none so large that it has no square."""
    for name, column in zip(names, columns.T, strict=True):
        check_finite(name, column, rows)
    check_sizes(tuple(map(repr, names)), columns, 1.0)


def check_response_column(name: str, values: pd.Series) -> None:
    """The response is numeric."""
    kind = kind_of(values)
    if kind == "number":
        return
    if kind in ("truth", "category"):
        said = "true or false" if kind == "truth" else "a factor"
        raise DataError(
            f"the response {name!r} is {said}, not a number; such a response needs a generalized "
            "model (Bambi and brms fit those)"
        )
    if kind != "text":
        raise DataError(f"the response {name!r} holds {kind}; turn it into numbers")
    parsed = pd.to_numeric(values, errors="coerce")
    odd = values[parsed.isna() & values.notna()]
    seen = f"text such as {odd.iloc[0]!r}" if len(odd) else "numbers stored as text"
    raise DataError(
        f"the response {name!r} isn't numeric: it holds {seen}; convert it with pandas.to_numeric first"
    )


def check_response_varies(name: str, value: float, varies: bool, sigma_free: bool) -> None:
    """The response varies, given one value and whether there is another."""
    if sigma_free and not varies:
        raise DataError(f"the response {name!r} is {value:g} in every row; there is nothing to explain")


def check_weights(weights: Array) -> None:
    """Every weight is a positive number."""
    if (bad := ~(weights >= LARGEST**-2) | np.isinf(weights)).any():
        place = int(np.flatnonzero(bad)[0])
        kind = "missing" if np.isnan(weights[place]) else f"{weights[place]:g}"
        raise DataError(
            f"{int(bad.sum())} weights aren't positive numbers (the first is {kind}); the residual "
            "variance is sigma²/w, so leave out the rows that shouldn't count"
        )


def check_fixed_factor(name: str, levels: Sequence[str]) -> None:
    """A factor of the formula has something to compare."""
    if len(levels) < 2:
        raise DataError(f"the factor {name!r} has one level, {levels[0]!r}, in the rows used; leave it out")


def check_contrasts(asked: Iterable[str], factors: Iterable[str], variables: Iterable[str]) -> None:
    """Contrasts are asked for factors the formula uses."""
    factors, variables = tuple(factors), tuple(variables)
    for name in asked:
        if name in factors:
            continue
        if name in variables:
            raise OptionError(f"contrasts for {name!r}: it is numeric; make it a factor first")
        hint = did_you_mean(name, factors) or f"; its factors are {_some(factors)}"
        raise OptionError(f"contrasts for {name!r}: no such factor in the formula{hint}")


def check_grouping(group: str, n_levels: int) -> None:
    """A grouping factor has more than one level."""
    if n_levels < 2:
        raise DataError(
            f"the grouping factor {group!r} has one level; a variance between levels needs at least two"
        )


def check_repeats(group: str, coefs: Sequence[str]) -> None:
    """No coef twice within a group's bars."""
    for place, coef in enumerate(coefs):
        if coef in coefs[:place]:
            way = "'0 +' leaves it out: (0 + x | g)" if coef == "Intercept" else "keep it in one bar"
            raise DataError(f"the coef {coef!r} comes twice in the terms of group {group!r}; {way}")


def check_rank(p: int, n: int, names: Sequence[str]) -> None:
    """X has a column left, and fewer than rows."""
    if names and not p:
        raise DataError("no column of the fixed part is left: all are zero")
    if p >= n:
        raise DataError(
            f"the fixed part has {p} independent columns for {n} rows{_widest(names)}; simplify the formula"
        )


def _widest(names: Sequence[str]) -> str:
    """Which term has most of the columns, if it isn't a number's one."""
    ((term, count),) = Counter(name.partition("[")[0] for name in names).most_common(1)
    many = f", {count} of them those of {term!r}, one a level: numbers as text are for pandas.to_numeric"
    return many if count > 1 else ""


def _some(names: Sequence[str], most: int = 12) -> str:
    shown = ", ".join(repr(name) for name in names[:most])
    return f"{shown}, ..." if len(names) > most else shown or "none"


def is_factor(name: str, values: pd.Series) -> bool:
    """Is a column of the formula a factor: text, categories or truth values? If not it is numeric.

    Raises
    ------
    DataError
        When it can be neither.
    """
    kind = kind_of(values)
    if kind in ("dates or times", "complex numbers", "lists or tables"):
        raise DataError(f"column {name!r} holds {kind}; turn it into numbers, or into text for a factor")
    return kind != "number"


def check_grouping_column(name: str, values: pd.Series) -> None:
    """The values of a grouping column can be levels: of objects, each has a hash."""
    if values.dtype == object and kind_of(values) == "lists or tables":
        raise DataError(
            f"the grouping column {name!r} holds lists or tables, which can't be levels; make each a text, "
            f"as by .map(str), or take one column for each of their parts"
        )


def kind_of(values: pd.Series) -> str:
    """What a column holds: "number", "truth", "category", "text", or what a model can't use."""
    dtype = values.dtype
    if isinstance(dtype, np.dtype) and dtype.kind in _NUMPY_KINDS:
        return _NUMPY_KINDS[dtype.kind]
    if isinstance(dtype, pd.CategoricalDtype):
        return "category"
    if pd.api.types.is_bool_dtype(dtype):
        return "truth"
    if isinstance(dtype, pd.PeriodDtype) or getattr(dtype, "kind", "O") in "mM":
        return "dates or times"
    if pd.api.types.is_numeric_dtype(dtype):
        return "number"
    return _kind_of_objects(values)


_NUMPY_KINDS = {
    **dict.fromkeys("iuf", "number"),
    "b": "truth",
    "c": "complex numbers",
    **dict.fromkeys("mM", "dates or times"),
}
_INFERRED = {
    **dict.fromkeys(("integer", "floating", "decimal", "mixed-integer-float"), "number"),
    "boolean": "truth",
    "complex": "complex numbers",
    **dict.fromkeys(
        ("datetime", "datetime64", "date", "time", "timedelta", "timedelta64", "period"), "dates or times"
    ),
}


def _kind_of_objects(values: pd.Series) -> str:
    inferred = pd.api.types.infer_dtype(values, skipna=True)
    if inferred in _INFERRED:
        return _INFERRED[inferred]
    if inferred in ("string", "empty"):
        return "text"
    present = values[values.notna()]
    if all(isinstance(value, Real | Decimal) and not isinstance(value, bool | np.bool_) for value in present):
        return "number"
    return "text" if all(isinstance(value, Hashable) for value in present) else "lists or tables"


def numbers(name: str, values: pd.Series) -> Array:
    """A numeric column as float64; one that says nothing, of any type, is missing numbers.

    Raises
    ------
    DataError
        When it isn't numeric.
    """
    kind = kind_of(values)
    if kind != "number" and not missing(values).all():
        raise DataError(f"column {name!r} is numeric in the model, and here it holds {_seen(kind, values)}")
    return _floats(values)


def _floats(values: pd.Series) -> Array:
    """Numbers of any type as float64, missing ones as NaN."""
    if isinstance(values.dtype, np.dtype) and values.dtype.kind in "biuf":
        return np.asarray(values.to_numpy(), dtype=np.float64)  # pandas would look for missing ones first
    return values.to_numpy(dtype=np.float64, na_value=np.nan)


def missing(values: pd.Series) -> NDArray[np.bool_]:
    """Which values of a column are missing, (n,)."""
    if isinstance(values.dtype, np.dtype) and values.dtype.kind in "biuf":
        return np.isnan(values.to_numpy())
    return np.asarray(pd.isna(values.array))


def _seen(kind: str, values: pd.Series) -> str:
    """What a column holds, by its first value that isn't missing."""
    return f"{kind} such as {values.dropna().tolist()[0]!r}"


_DATE = re.compile(r"\s*\d{1,4}([-/.])\d{1,2}\1\d{1,4}([ T]\d{1,2}:\d{2}.*)?\s*")
_MANY_DATES = 10


def warn_of_dates(name: str, levels: Sequence[str]) -> None:
    """Warn when a factor of the formula is dates written as text."""
    if len(levels) >= _MANY_DATES and all(_DATE.fullmatch(level) for level in levels):
        caution(
            f"column {name!r} holds dates as text, such as {levels[0]!r}: a factor of {len(levels)} levels, "
            "each with an effect of its own; for a trend turn it into numbers with pandas.to_datetime",
            DesignWarning,
        )


def check_offset_columns(columns: Mapping[str, pd.Series]) -> None:
    """An offset is made of numeric columns."""
    if not columns:
        raise DataError("an offset in the formula needs a column, one value a row")
    for values in columns.values():
        number_column("offset", values)


def number_column(what: str, values: pd.Series) -> Array:
    """A numeric column as floats.

    Raises
    ------
    DataError
        When it isn't numeric, or too large.
    """
    if kind_of(values) not in ("number", "truth"):
        raise DataError(f"the {what} column {values.name!r} isn't numeric")
    found = _floats(values)
    check_sizes((f"the {what} column {values.name!r}",), found[:, None], 1.0)
    return found


def check_one_column(response: str, count: int) -> None:
    """The response is one column."""
    if count != 1:
        raise DataError(
            f"the response {response!r} makes {count} columns; one is fitted at a time (Bambi and brms "
            "fit multivariate models)"
        )


def check_visits(bar: Bar, some_factor: bool) -> None:
    """A structure that goes by visits has a factor of visits."""
    if not some_factor:
        raise DataError(
            f"{bar.keyword} goes by the levels of a factor, and the left side of {bar.text} is numeric; "
            f"write {bar.keyword}(0 + factor({bar.variables[0] if bar.variables else 'visit'}) | {bar.group})"
        )


def check_left_side(bar: Bar, nonzero: NDArray[np.bool_], coefs: Sequence[str]) -> None:
    """A term's left side makes columns, and none of them is zero throughout."""
    if not coefs:
        raise DataError(
            f"the left side of {bar.text} makes no column; write (1 | {bar.group}) or (x | {bar.group})"
        )
    for coef, some in zip(coefs, nonzero, strict=True):
        if not some:
            raise DataError(
                f"{coef!r} in {bar.text} is 0 in every row, so its variance can't be estimated; leave it out"
            )

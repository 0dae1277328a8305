"""Random designs at the edges: shapes and scales that leave little to estimate, newer types, other tables."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from importlib.util import find_spec
from typing import Any

import numpy as np
import pandas as pd

from tests.laws.fuzz_designs import RandomDesign, dressed
from tests.laws.fuzz_residuals import with_residual

type Shape = Callable[[np.random.Generator, pd.DataFrame], pd.DataFrame]

RESIDUALS, LARGE_ONES = 0.12, 0.03  # how often there is a residual with parameters, and a large design
WORN = 0.35  # how often a column is of a newer type


def extreme(made: RandomDesign, seed: int) -> RandomDesign:
    """A design of another shape, in its clothes, some of its columns of newer types, in any table."""
    rng = np.random.default_rng([seed, 3])
    shapes = LARGE if rng.random() < LARGE_ONES else SHAPES
    shape = one_of(rng, shapes)
    made = replace(made, data=shapes[shape](rng, made.data.copy()), worn=(shape,))
    dress = with_residual if len(made.data) < 200 and rng.random() < RESIDUALS else dressed
    made = dress(made, seed)
    table = one_of(rng, TABLES)
    data = made.data if table in FOREIGN else rewoven(rng, made.data)
    worn = (*made.worn, table, *(f"{name} {data[name].dtype}" for name in ("y", "x", "f", "g", "w")))
    return replace(made, data=TABLES[table](rng, data), worn=worn)


def one_of(rng: np.random.Generator, kinds: Mapping[str, Any]) -> str:
    return str(rng.choice(list(kinds)))


def rewoven(rng: np.random.Generator, data: pd.DataFrame) -> pd.DataFrame:
    """The same with some columns of other types; one that can't be stays as it is."""
    data = data.copy()
    for name, weaves in WEAVES.items():
        weave = weaves[int(rng.integers(len(weaves)))]
        if rng.random() < WORN:
            data[name] = woven(data[name], weave)
    return data


def woven(values: Any, weave: Callable[[Any], Any]) -> Any:
    """What is made of a column or table; itself where it can't be."""
    try:
        return weave(values)
    except (ValueError, TypeError, ArithmeticError):
        return values


def rounded(values: pd.Series) -> pd.Series:
    return values.astype(float).round().clip(-100, 100)


def flags(values: pd.Series) -> pd.Series:
    return values.astype(float) > values.astype(float).median()


def codes(values: pd.Series) -> pd.Series:
    return pd.Series(pd.factorize(values)[0], index=values.index)


def days(values: pd.Series) -> pd.Series:
    return pd.to_datetime("2024-02-28") + pd.to_timedelta(codes(values), unit="D")


def ordered(values: pd.Series) -> pd.Categorical:
    """With levels that no row has, before, between and after those that are there."""
    levels = [f"{each:05d}" for each in range(2 * codes(values).max() + 3)]
    return pd.Categorical.from_codes(2 * codes(values) + 1, categories=levels, ordered=True)


def some_missing(values: pd.Series) -> pd.Series:
    return values.where(np.arange(len(values)) % 7 != 3)


NUMBERS = (
    lambda v: v.astype("Float32"),
    lambda v: v.astype("float16"),
    lambda v: v.astype("double[pyarrow]"),
    lambda v: rounded(v).astype("Int64"),
    lambda v: rounded(v).astype("int16[pyarrow]"),
    lambda v: rounded(v).abs().astype("uint8"),
    lambda v: v.map(lambda value: Fraction(float(value))).astype(object),
    lambda v: v.map(lambda value: Decimal(repr(float(value)))).astype(object),
    lambda v: some_missing(v.astype("Float64")),
    lambda v: some_missing(v.astype(float)).astype(object),
    lambda v: v.astype(float).astype(str),
)
LABELS = (
    ordered,
    lambda v: codes(v).astype("Int64"),
    lambda v: codes(v).astype("Float64"),
    lambda v: flags(codes(v)).astype("boolean"),
    lambda v: flags(codes(v)).astype("bool[pyarrow]"),
    lambda v: v.astype(str).astype("string[pyarrow]"),
    lambda v: v.astype(str).astype(pd.ArrowDtype(arrow_type("large_string"))),
    lambda v: some_missing(v.astype("string")),
    lambda v: some_missing(pd.Series(ordered(v), index=v.index)),
    lambda v: pd.Categorical(codes(v), categories=range(-3, 5000)),
    lambda v: pd.Categorical(codes(v) / 4),
)
GROUPS = (
    *LABELS,
    days,
    lambda v: days(v).dt.tz_localize("Europe/Berlin"),
    lambda v: days(v).dt.date,
    lambda v: days(v).dt.to_period("D"),
    lambda v: pd.to_timedelta(codes(v), unit="h"),
    lambda v: pd.cut(codes(v), 4),
    lambda v: [(value, str(value)) for value in codes(v)],
    lambda v: [str(value).encode() for value in codes(v)],
    lambda v: [value if value % 2 else f"{value}" for value in codes(v)],
    lambda v: [f"{'é∑ :/|'[value % 6]}{value}" for value in codes(v)],
    lambda v: codes(v) * 1e-17 + 0.1,
    lambda v: codes(v) * 10**15,
)
WEAVES: dict[str, tuple[Callable[[pd.Series], Any], ...]] = {
    "y": NUMBERS,
    "x": (*NUMBERS, lambda v: flags(v).astype("boolean")),
    "z": NUMBERS,
    "w": NUMBERS,
    "f": LABELS,
    "g": GROUPS,
    "h": GROUPS,
}


def arrow_type(name: str) -> Any:
    import pyarrow as pa

    return getattr(pa, name)()


def a_row_a_level(rng: np.random.Generator, data: pd.DataFrame) -> pd.DataFrame:
    return data.assign(g=rng.permutation(len(data)))


def two_rows_together(rng: np.random.Generator, data: pd.DataFrame) -> pd.DataFrame:
    """A level a row, but one of two."""
    return data.assign(g=np.maximum(np.arange(len(data)), 1))


def one_large_level(rng: np.random.Generator, data: pd.DataFrame) -> pd.DataFrame:
    return data.assign(g=np.maximum(np.arange(len(data)) - len(data) + 3, 0))


def thousands_of_levels(rng: np.random.Generator, data: pd.DataFrame) -> pd.DataFrame:
    n, levels = int(rng.integers(2000, 6000)), int(rng.integers(1000, 3000))
    many = data.iloc[rng.integers(0, len(data), n)].reset_index(drop=True)
    many["g"], many["z"] = rng.integers(0, levels, n), rng.normal(size=n)
    return many.assign(
        y=many["y"] + many["y"].std() * (rng.normal(size=levels)[many["g"]] + rng.normal(size=n))
    )


def near_collinear(rng: np.random.Generator, data: pd.DataFrame) -> pd.DataFrame:
    x = data["x"].astype(float)
    return data.assign(z=x + 10.0 ** -rng.integers(3, 15) * (x.std() + 1) * rng.normal(size=len(data)))


def groups_collinear(rng: np.random.Generator, data: pd.DataFrame) -> pd.DataFrame:
    """The second grouping factor repeats the first, or x is constant within levels."""
    if rng.random() < 0.5:
        return data.assign(h=data["g"])
    return data.assign(x=rng.normal(size=len(data))[data["g"].to_numpy()])


def huge(rng: np.random.Generator, data: pd.DataFrame) -> pd.DataFrame:
    """y, x or the weights in units that nobody would choose."""
    name = str(rng.choice(["y", "x", "z", "w"]))
    return data.assign(
        **{name: data[name].astype(float) * 10.0 ** int(rng.choice([-150, -60, -20, 20, 60, 150]))}
    )


def far_away(rng: np.random.Generator, data: pd.DataFrame) -> pd.DataFrame:
    name = str(rng.choice(["y", "x", "z"]))
    return data.assign(**{name: data[name].astype(float) + 10.0 ** int(rng.integers(5, 16))})


def no_effects(rng: np.random.Generator, data: pd.DataFrame) -> pd.DataFrame:
    return data.assign(y=rng.normal(size=len(data)))


def no_residual(rng: np.random.Generator, data: pd.DataFrame) -> pd.DataFrame:
    """The model explains y without anything left."""
    effects = rng.choice([0.0, 1.0]) * rng.normal(size=len(data))
    return data.assign(y=1 + 2 * data["x"].astype(float) + effects[data["g"].to_numpy()])


def whole_numbers(rng: np.random.Generator, data: pd.DataFrame) -> pd.DataFrame:
    """Few values of y, so that many ties."""
    return data.assign(y=rng.integers(0, 3, len(data)), x=rng.integers(0, 2, len(data)))


def one_row_apart(rng: np.random.Generator, data: pd.DataFrame) -> pd.DataFrame:
    """Equal but in one row."""
    return data.assign(y=(np.arange(len(data)) == 1).astype(float))


SHAPES: dict[str, Shape] = {
    "as drawn": lambda rng, data: data,
    **{
        make.__name__.replace("_", " "): make
        for make in (
            a_row_a_level,
            two_rows_together,
            one_large_level,
            near_collinear,
            groups_collinear,
            huge,
            far_away,
            no_effects,
            no_residual,
            whole_numbers,
            one_row_apart,
        )
    },
}
LARGE: dict[str, Shape] = {"thousands of levels": thousands_of_levels}


def odd_index(rng: np.random.Generator, data: pd.DataFrame) -> pd.DataFrame:
    """Labels of rows that repeat, or of several parts, or dates, in no order."""
    n = len(data)
    labels = (
        np.arange(n) // 2,
        pd.MultiIndex.from_arrays([np.arange(n) % 3, np.arange(n)]),
        pd.date_range("2024-01-01", periods=n)[rng.permutation(n)],
        pd.Index([f"row {each}" for each in rng.permutation(n)]),
    )
    return data.set_axis(labels[int(rng.integers(len(labels)))], axis=0)


def as_polars(rng: np.random.Generator, data: pd.DataFrame) -> Any:
    """A polars table, some of them lazy; where there is no polars, pandas' own."""
    if not find_spec("polars"):
        return data
    import polars as pl

    table = woven(data, pl.from_pandas)
    return table.lazy() if rng.random() < 0.3 and table is not data else table


def as_arrow(rng: np.random.Generator, data: pd.DataFrame) -> Any:
    import pyarrow as pa

    return woven(data, lambda frame: pa.Table.from_pandas(frame, preserve_index=False))


def in_arrow(rng: np.random.Generator, data: pd.DataFrame) -> pd.DataFrame:
    """Every column that can be of one of Arrow's types."""
    return woven(data, lambda frame: frame.convert_dtypes(dtype_backend="pyarrow"))


# what data may come as
FOREIGN = {"polars": as_polars, "arrow": as_arrow, "columns": lambda rng, data: dict(data.items())}
TABLES: dict[str, Callable[[np.random.Generator, Any], Any]] = {
    "pandas": lambda rng, data: data,
    "odd index": odd_index,
    "in arrow's types": in_arrow,
    **{name: FOREIGN[name] for name in ("columns", "polars", "arrow")},
}

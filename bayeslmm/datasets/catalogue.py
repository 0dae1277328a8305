"""The packaged data sets: where each comes from, its columns' types and the order of factor levels."""

import json
from functools import cache
from importlib.resources import as_file, files
from typing import Any

import pandas as pd

from bayeslmm.errors import DataError, did_you_mean

from .tables import read_csv

_FOLDER = files("bayeslmm.datasets") / "data"


@cache
def catalogue() -> dict[str, dict[str, Any]]:
    """Facts about each data set: file, rows, source, use, columns (name, type, levels in order)."""
    facts: dict[str, dict[str, Any]] = json.loads((_FOLDER / "datasets.json").read_text(encoding="utf-8"))
    return facts


def list_datasets() -> pd.DataFrame:
    """The packaged data sets: name, rows, source, use."""
    facts = catalogue()
    table = pd.DataFrame([{"name": name, **fact} for name, fact in facts.items()])
    return table[["name", "rows", "source", "use"]]


def load_dataset(name: str) -> pd.DataFrame:
    """A packaged data set; factors are categorical with their levels in the stated order.

    The first level is the reference of treatment contrasts. `.attrs["source"]` says where the data come from.

    Raises
    ------
    DataError
        When there is no such data set.
    """
    facts = catalogue()
    if name not in facts:
        hint = did_you_mean(str(name), facts) or "; bayeslmm.list_datasets() shows them"
        raise DataError(f"there is no data set {name!r}{hint}")
    columns = facts[name]["columns"]
    with as_file(_FOLDER / facts[name]["file"]) as path:
        data = read_csv(path, text=[column["name"] for column in columns if "levels" in column])
    for column in columns:
        if "levels" in column:
            ordered = column["type"] == "ordered"
            data[column["name"]] = pd.Categorical(data[column["name"]], column["levels"], ordered=ordered)
    data.attrs["source"] = facts[name]["source"]
    return data

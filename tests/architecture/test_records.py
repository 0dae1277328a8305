"""Records that hold arrays or frames are compared and hashed by identity: `==` of arrays is no answer."""

import dataclasses
import importlib
import pkgutil
import re

import pytest

import bayeslmm

WORDS = "Array NDArray Floats Ints Codes Mask ArrayLike DataFrame Series DataTree Dataset csr_array csc_array"
ARRAYS = rf"\b({WORDS.replace(' ', '|')})\b"


def dataclasses_of_the_package():
    """Every dataclass, by its name."""
    found = {}
    for module in pkgutil.walk_packages(bayeslmm.__path__, "bayeslmm."):
        for thing in vars(importlib.import_module(module.name)).values():
            if (
                isinstance(thing, type)
                and dataclasses.is_dataclass(thing)
                and thing.__module__ == module.name
            ):
                found[thing.__qualname__] = thing
    return found


RECORDS = dataclasses_of_the_package()


def holding(pattern):
    """Names of records with a field whose type matches, themselves or by a record they hold."""
    holders, before = set(), None
    while holders != before:
        before = set(holders)
        names = rf"{pattern}|\b({'|'.join(holders)})\b" if holders else pattern
        holders |= {
            name
            for name, record in RECORDS.items()
            if any(re.search(names, str(field.type)) for field in dataclasses.fields(record))
        }
    return sorted(holders)


def test_there_are_some():
    assert {"LikelihoodFit", "Design", "PosteriorResult"} <= set(holding(ARRAYS))


@pytest.mark.parametrize("name", holding(ARRAYS))
def test_records_with_arrays_are_compared_by_identity(name):
    record = RECORDS[name]
    assert record.__eq__ is object.__eq__
    assert record.__hash__ is object.__hash__

"""Which function it was: told by code and by what that refers to, never by where it stands."""

import subprocess
import sys
from functools import partial

import numpy as np
import pandas as pd
import pytest

from bayeslmm.runs.identity import identity_of

FACTOR = 3.0


def times(k, offset=0):
    return lambda x: k * x + offset


def of_global(x):
    return FACTOR * x


def recursive(x):
    return recursive(x - 1) if x else 0


def nested(x):
    return [FACTOR * each for each in (one + FACTOR for one in x)]


class Callable:
    def __call__(self, x):
        return x

    def method(self, x):
        return x


def test_functions_that_differ_are_told_apart():
    functions = [
        *(lambda fit: fit.sigma, lambda fit: fit.theta[0], lambda fit: fit.theta[1]),
        times(1),
        times(2),
        times(1, 2),
        times(1.0),
        times("1"),
        times(np.arange(3)),
        times(np.arange(3.0)),
        times(pd.Series([1], ["a"])),
        times(pd.Series([1], ["b"])),
        times({"a": 1}),
        times({"a": 2}),
        times({1, 2}),
        times([1, 2]),
        times(times(1)),
        partial(of_global, 1),
        partial(of_global, 2),
        of_global,
        recursive,
        nested,
        np.mean,
        np.median,
        len,
    ]
    told = [identity_of(each) for each in functions]
    assert None not in told
    assert len(set(told)) == len(functions)


def test_a_function_made_again_is_the_same():
    assert identity_of(times(2)) == identity_of(times(2))
    assert identity_of(times({"b", "a"})) == identity_of(times({"a", "b"}))


@pytest.mark.parametrize("function", [of_global, nested])
def test_what_a_name_stands_for_counts(monkeypatch, function):
    before = identity_of(function)
    monkeypatch.setattr(sys.modules[__name__], "FACTOR", 4.0)
    assert identity_of(function) != before


def test_objects_cannot_be_told():
    for function in (Callable(), Callable().method, times(object()), times(Callable())):
        assert identity_of(function) is None


@pytest.mark.parametrize("seed", ["1", "2"])
def test_another_process_tells_the_same(seed):
    """Sets of text are in another order there."""
    code = "from bayeslmm.runs.identity import identity_of; import tests.runs.test_identity as t; "
    code += "print(identity_of(t.times({'a', 'b', 'c'})))"
    found = subprocess.run(
        [sys.executable, "-c", code], env={"PYTHONHASHSEED": seed, "PYTHONPATH": ":".join(sys.path)},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert found.stdout.strip() == identity_of(times({"c", "b", "a"}))

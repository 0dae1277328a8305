"""The first pass: the same answer however the rows are cut."""

from functools import partial, reduce
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bayeslmm.errors import DataError
from bayeslmm.spec.factors import factor_of
from bayeslmm.spec.streaming.census import Census, Levels, Question, distinct, merge, take

QUESTION = Question(("y", "a", "b"), ("a", "b"), ("a",), (("a",), ("b",), ("a", "b")))


def table(n: int = 60) -> pd.DataFrame:
    rng = np.random.default_rng(3)
    frame = pd.DataFrame({"y": rng.normal(size=n), "a": rng.integers(0, 5, n), "b": rng.integers(0, 9, n)})
    return frame.astype({"b": str}).assign(y=frame["y"].where(np.arange(n) % 7 > 0))


def census(frame: pd.DataFrame, cuts: list[int]) -> Census:
    edges = [0, *sorted(cuts), len(frame)]
    parts = [frame.iloc[a:b] for a, b in pairwise(edges)]
    return reduce(partial(merge, QUESTION), [take(QUESTION, part) for part in parts])


def met(found: Census, names: tuple[str, ...]) -> set[tuple[object, ...]]:
    values = [
        found.values[name].index.to_numpy()[found.combinations[names][:, i]] for i, name in enumerate(names)
    ]
    return set(zip(*values, strict=True))


@given(st.lists(st.integers(0, 60), max_size=6))
def test_cuts_do_not_matter(cuts: list[int]) -> None:
    frame = table()
    used = frame.dropna()
    found = census(frame, cuts)
    assert (found.n_given, found.n, found.missing["y"]) == (60, len(used), 9)
    assert met(found, ("a", "b")) == set(zip(used["a"], used["b"], strict=True))
    assert len(found.combinations["a", "b"]) == len(used[["a", "b"]].drop_duplicates())
    assert set(found.firsts["a"]) == set(used["a"])


def test_levels_are_those_of_the_whole_column() -> None:
    frame = table().dropna()
    found = census(frame, [7, 30])
    for name in ("a", "b"):
        levels, moved = Levels.of(found.values[name])
        whole = factor_of(frame[name])
        assert levels.labels == whole.levels
        assert np.array_equal(levels.codes(frame[name]), whole.codes)
        assert levels.values[moved].equals(found.values[name].index)


def test_categories_keep_their_order_and_drop_the_unused() -> None:
    kind = pd.CategoricalDtype(["lo", "never", "mid", "hi"], ordered=True)
    frame = table().assign(a=pd.Categorical.from_codes(np.arange(60) % 3, ["hi", "lo", "mid"]).astype(kind))
    levels, _ = Levels.of(census(frame, [1]).values["a"])
    assert (levels.labels, levels.ordered) == (("lo", "mid", "hi"), True)


def test_ordered_categories_that_differ_are_refused() -> None:
    one = table().assign(a=pd.Categorical(["x"] * 60, categories=["x", "y"], ordered=True))
    two = table().assign(a=pd.Categorical(["x"] * 60, categories=["y", "x"], ordered=True))
    with pytest.raises(DataError, match="ordered categories of 'a' differ"):
        merge(QUESTION, take(QUESTION, one), take(QUESTION, two))


def test_distinct_rows_of_many_columns() -> None:
    codes = np.random.default_rng(0).integers(0, 3, (200, 4))
    assert {tuple(row) for row in distinct(codes)} == {tuple(row) for row in codes}
    assert len(distinct(codes)) == len({tuple(row) for row in codes})


def test_a_number_and_its_text_are_one_level_across_chunks():
    numbers = pd.DataFrame({"y": 1.0, "a": np.array([2, 1, 2], dtype=object), "b": "z"})
    texts = pd.DataFrame({"y": 1.0, "a": ["1", "x", "2"], "b": "z"})
    parts = [take(QUESTION, part) for part in (numbers, texts)]
    levels, moved = Levels.of(merge(QUESTION, *parts).values["a"])
    whole = factor_of(pd.concat([numbers, texts])["a"])
    assert levels.labels == whole.levels == ("1", "2", "x")
    codes = np.concatenate([levels.codes(part["a"]) for part in (numbers, texts)])
    np.testing.assert_array_equal(codes, whole.codes)
    assert set(moved) == {0, 1, 2}
    assert levels.codes(pd.Series(["new"], dtype=object)).tolist() == [-1]


def test_lists_are_no_levels():
    frame = table(4).assign(a=[[1], [2], [1], [2]])
    with pytest.raises(DataError, match="'a' holds lists or tables"):
        take(QUESTION, frame)

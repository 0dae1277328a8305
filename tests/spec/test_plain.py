"""A sum of columns of numbers is what formulaic makes of it."""

import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bayeslmm.spec.materialize import train
from bayeslmm.spec.plain import Plain, plain_sum

NAMES = ["x", "y_2", "z.3", "é", "e", "Intercept"]
VALUES = {name: np.arange(3.0) + place for place, name in enumerate(NAMES)}
sums = st.lists(st.sampled_from(["0", "1", *VALUES]), min_size=1, max_size=6).map(" + ".join)


@given(text=sums)
@settings(max_examples=60, deadline=None, derandomize=True)
def test_a_sum_of_columns_has_the_terms_the_parser_finds(text: str) -> None:
    made = train({"quick": f"1 + {text}", "parsed": f"1 + {text} "}, VALUES, 3)
    quick, parsed = made["quick"], made["parsed"]
    assert isinstance(quick.trained, Plain) and not isinstance(parsed.trained, Plain)
    assert quick.names == parsed.names
    assert quick.trained.terms == parsed.trained.terms
    np.testing.assert_array_equal(quick.matrix, parsed.matrix)


@pytest.mark.parametrize("text", ["1 + x:z", "1 + log(x)", "1 + x - 1", "2 + x", "1 + `a b`", "-1 + x", ""])
def test_what_is_not_a_sum_of_columns(text: str) -> None:
    assert plain_sum(text) is None


def test_one_column_may_have_any_name() -> None:
    assert plain_sum("`a + b`") == Plain(("a + b",))
    assert plain_sum("`1`") == Plain(("1",))


def test_a_factor_is_for_formulaic() -> None:
    assert not Plain((None, "f")).fits({"f": ("coding", np.zeros(3))})


def test_equal_sums_are_made_once_and_survive_pickling() -> None:
    made = train({"fixed": "1 + x", "bar_0": "1 + 1 + x"}, VALUES, 3)
    assert made["fixed"].matrix is made["bar_0"].matrix
    trained = made["fixed"].trained
    assert trained.terms[1].columns == ("x",)
    assert pickle.loads(pickle.dumps(trained)) == trained

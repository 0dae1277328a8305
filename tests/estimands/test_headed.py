import copy
import pickle

import pandas as pd
import pytest

from bayeslmm.estimands.headed import HeadedTable


@pytest.mark.parametrize("again", [copy.copy, copy.deepcopy, lambda table: pickle.loads(pickle.dumps(table))])
def test_a_copy_keeps_its_heading(again):
    table = HeadedTable.of(pd.DataFrame({"p": [0.5]}), "Tests", ("of nothing",), ddf="normal")
    other = again(table)
    assert repr(other) == repr(table)
    assert other.attrs == table.attrs
    other.loc[0, "p"] = 0.1
    assert table.loc[0, "p"] == 0.5


def test_what_is_computed_of_it_is_an_ordinary_frame():
    table = HeadedTable.of(pd.DataFrame({"p": [0.5]}), "Tests")
    assert type(table[["p"]]) is pd.DataFrame

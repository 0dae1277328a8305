import pandas as pd
import pytest

import bayeslmm as bl
from bayeslmm.datasets.catalogue import catalogue
from bayeslmm.errors import DataError


@pytest.mark.parametrize("name", list(catalogue()))
def test_data_are_as_the_catalogue_says(name: str) -> None:
    facts = catalogue()[name]
    data = bl.load_dataset(name)
    assert len(data) == facts["rows"]
    assert list(data.columns) == [column["name"] for column in facts["columns"]]
    for column in facts["columns"]:
        values = data[column["name"]]
        if column["type"] in ("factor", "ordered"):
            assert list(values.cat.categories) == column["levels"]
            assert values.cat.ordered == (column["type"] == "ordered")
        else:
            assert pd.api.types.is_numeric_dtype(values)
    assert data.attrs["source"] == facts["source"]


def test_values_outside_the_stated_levels_would_show() -> None:
    for name in catalogue():
        missing = bl.load_dataset(name).isna().to_numpy().sum()
        assert missing == {"sleepstudy_na": 7, "fev": 263}.get(name, 0)


def test_list_datasets() -> None:
    table = bl.list_datasets()
    assert list(table.columns) == ["name", "rows", "source", "use"]
    assert {"sleepstudy", "Dyestuff", "Dyestuff2", "Penicillin", "Pastes", "Machines", "cake", "Oats"} <= set(
        table["name"]
    )
    assert (table["source"] != "").all()


def test_level_order_is_not_alphabetical_where_stated() -> None:
    treatment = bl.load_dataset("RatPupWeight")["Treatment"]
    assert list(treatment.cat.categories) == ["Control", "Low", "High"]


def test_each_call_gives_fresh_data() -> None:
    changed = bl.load_dataset("sleepstudy")
    changed["Reaction"] = 0.0
    assert bl.load_dataset("sleepstudy")["Reaction"].iloc[0] == pytest.approx(249.56)


def test_unknown_name() -> None:
    with pytest.raises(DataError, match="'sleapstudy'; did you mean 'sleepstudy'"):
        bl.load_dataset("sleapstudy")
    with pytest.raises(DataError, match="list_datasets"):
        bl.load_dataset("qqq")

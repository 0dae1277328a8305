import pandas as pd
import pytest

from bayeslmm.estimands.table import EstimateTable


def rows():
    return pd.DataFrame(
        {
            "kind": ["beta", "sd"],
            "estimate": [10.467, 5.922],
            "se": [1.546, 1.25],
            "lower": [7.4, 3.8],
            "upper": [13.5, 8.8],
        },
        index=["beta[Days]", "sd[Subject: Days]"],
    )


def test_the_table_keeps_its_own_copy():
    frame = rows()
    table = EstimateTable(frame, "REML", "wald", 0.95)
    frame.loc["beta[Days]", "estimate"] = 0.0
    assert table.frame.loc["beta[Days]", "estimate"] == 10.467


def test_select_keeps_kinds_and_order():
    table = EstimateTable(rows(), "REML", "wald", 0.95)
    assert table.select("sd").labels == ("sd[Subject: Days]",)
    assert table.select("sd", "beta").labels == table.labels


def test_to_frame_says_which_interval_it_is():
    frame = EstimateTable(rows(), "bootstrap", "percentile", 0.9).to_frame()
    assert set(frame["interval"]) == {"percentile"}
    assert set(frame["prob"]) == {0.9}
    assert frame.index.name == "label"


def test_relabel():
    table = EstimateTable(rows(), "REML", "wald", 0.95).relabel({"beta[Days]": "b_Days"})
    assert table.labels == ("b_Days", "sd[Subject: Days]")


@pytest.mark.parametrize(
    ("frame", "source", "prob", "message"),
    [
        (rows().drop(columns="se"), "REML", 0.95, "lacks"),
        (rows(), "posterior", 0.95, "lacks"),
        (pd.concat([rows(), rows()]), "REML", 0.95, "repeats"),
        (rows(), "REML", 95, "between 0 and 1"),
    ],
)
def test_malformed_tables_are_refused(frame, source, prob, message):
    with pytest.raises(ValueError, match=message):
        EstimateTable(frame, source, "wald", prob)


def test_repr_reads_in_text_and_html():
    table = EstimateTable(rows(), "REML", "wald", 0.95)
    assert "95 % wald" in repr(table)
    assert "beta[Days]" in repr(table)
    assert "<table" in table._repr_html_()

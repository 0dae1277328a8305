"""Tables as people print them: what is rounded, what is escaped, what stands where."""

import numpy as np
import pandas as pd
import pytest

from bayeslmm.markup import latex
from bayeslmm.printed import Page, cell, cells, error_places, html, markdown
from bayeslmm.printed import latex as printed_latex


@pytest.mark.parametrize(
    ("column", "value", "places", "text"),
    [
        ("p", 0.00099, None, "< 0.001"),
        ("p_boundary", 0.0004, 2, "< 0.001"),
        ("p.value", 0.04567, None, "0.046"),
        ("estimate", 251.40510, 2, "251.41"),
        ("estimate", 123456.7, -2, "123500"),
        ("estimate", -0.0004, 2, "0.00"),
        ("t", 36.8381, 2, "36.84"),
        ("AIC", 1755.628, None, "1755.6"),
        ("df", 17.0, None, "17"),
        ("x", 1.5e-7, None, "1.500e-07"),
        ("x", np.nan, None, ""),
        ("x", None, None, ""),
        ("x", np.inf, None, "inf"),
        ("n", np.int64(180), None, "180"),
        ("n", True, None, "True"),
        ("n", "308", None, "308"),
    ],
)
def test_a_value_is_written_as_people_do(column, value, places, text):
    assert cell(column, value, places) == text


def test_an_error_leaves_three_of_its_digits():
    assert [error_places(error) for error in (0.0123, 1.5458, 6.82, 120.0)] == [4, 2, 2, 0]
    assert error_places(0.0) is error_places(np.nan) is None


def test_rows_are_rounded_each_by_its_own_error():
    frame = pd.DataFrame({"estimate": [251.40510, 10.46729], "se": [68.2, 0.1546]}, index=["a", "b"])
    assert cells(frame).rows == [["a", "251.4", "68.2"], ["b", "10.467", "0.155"]]
    assert cells(frame).left == [True, False, False]


def test_an_index_of_positions_is_left_out_and_one_of_several_keys_is_not():
    assert cells(pd.DataFrame({"x": [1]})).head == ["x"]
    index = pd.MultiIndex.from_tuples([("a", 1)], names=["group", None])
    assert cells(pd.DataFrame({"group": [2]}, index=index)).head == ["group", "", "group"]


def test_the_three_languages_hold_the_same_cells():
    page = Page(pd.DataFrame({"p": [1e-9], "x": [-1.5]}, index=["a_b & <c>|d"]), "50 % of it", ("a note",))
    assert "| a\\_b &amp; &lt;c>\\|d | < 0.001 | −1.5 |" in markdown(page)
    assert r"a\_b \& $<$c$>$\textbar{}d & $<$ 0.001 & $-$1.5 \\" in printed_latex(page)
    assert r"\caption{50 \% of it}" in printed_latex(page)
    assert "a_b &amp; &lt;c&gt;|d</td>" in html(page)
    assert all("a note" in language(page) for language in (html, markdown, printed_latex))


def test_tex_reads_nothing_of_what_a_user_names():
    assert latex(r"\input{x}~^#$") == r"\textbackslash{}input\{x\}\textasciitilde{}\textasciicircum{}\#\$"

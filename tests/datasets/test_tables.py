import gzip
import io
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import bayeslmm as bl
from bayeslmm.datasets import TextFormat, read_table
from bayeslmm.errors import DataError, OptionError


def write(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


def test_na_and_empty_cells_are_missing_and_other_texts_are_not(tmp_path: Path) -> None:
    data = read_table(write(tmp_path / "a.csv", "x,f\n1,None\nNA,null\n,NA\n4,\n"))
    assert data["x"].isna().tolist() == [False, True, True, False]
    assert data["f"].iloc[:2].tolist() == ["None", "null"]
    assert data["f"].isna().tolist() == [False, False, True, True]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("sep", [",", ";"])
def test_lines_end_as_anywhere(tmp_path: Path, end: str, sep: str) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(end.join([f"x{sep}f", f"1{sep}a", f"2{sep}b", ""]).encode())
    assert read_table(path).to_dict("list") == {"x": [1, 2], "f": ["a", "b"]}


def test_gzipped(tmp_path: Path) -> None:
    path = tmp_path / "a.csv.gz"
    path.write_bytes(gzip.compress(b"x,f\n1,a\n2,b\n"))
    assert read_table(path).to_dict("list") == {"x": [1, 2], "f": ["a", "b"]}


def test_parquet(tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    pd.DataFrame({"x": [1.0, 2.0]}).to_parquet(tmp_path / "a.parquet")
    assert read_table(str(tmp_path / "a.parquet"))["x"].tolist() == [1.0, 2.0]


NUMBERS = st.lists(st.floats(-1e6, 1e6).map(lambda x: round(x, 3)) | st.none(), min_size=2, max_size=9)


@given(NUMBERS.filter(any), st.sampled_from([(",", "."), (";", "."), (";", ","), ("\t", "."), ("\t", ",")]))
def test_a_table_is_read_however_it_is_written(tmp_path_factory, numbers, marks) -> None:
    """Separator and decimal mark are seen from the text itself; what is missing is an empty cell."""
    sep, decimal = marks
    made = pd.DataFrame({"x": numbers, "f": ["ä;b"] * len(numbers)}, dtype=object).astype({"x": float})
    path = tmp_path_factory.mktemp("table") / "a.csv"
    made.to_csv(path, sep=sep, decimal=decimal, index=False)
    found = read_table(path)
    np.testing.assert_array_equal(found["x"].to_numpy(dtype=float), made["x"])
    assert found["f"].tolist() == made["f"].tolist()


@pytest.mark.parametrize(
    ("content", "written"),
    [
        ("x|f\n1*5|ä\n-|b\n".encode("cp1252"), TextFormat(("-",), "|", "*", "cp1252")),
        ("x\tf\n1.5\tä\n\tb\n".encode("utf-16"), TextFormat()),
        ("\ufeffx,f\n1.5,ä\n,b\n".encode(), TextFormat()),
        ('"x","f"\n"1","1.5","ä"\n"2",NA,"b"\n'.encode(), TextFormat()),
    ],
    ids=["all told", "utf-16", "byte order mark", "R's row names"],
)
def test_formats(tmp_path: Path, content: bytes, written: TextFormat) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(content)
    data = read_table(path, written)
    assert data["f"].tolist() == ["ä", "b"]
    assert data["x"].iloc[0] == 1.5
    assert np.isnan(data["x"].iloc[1])


def test_standard_input(monkeypatch) -> None:
    monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=io.BytesIO(b"x;f\n1,5;a\n")))
    assert read_table("-").to_dict("list") == {"x": [1.5], "f": ["a"]}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "can't be read"),
        ("x,y\n", "no rows"),
        ("x,y\n1,2\n1,2,3,4\n", "line 3"),
        ("x,y\n1,2,\n2,3,\n", "separator at the end"),
        ("made today\nx,y,z\n1,2,3\n", "names 1 columns, the next has 3 cells"),
        ("x,y\n1," + "2" * 200_000 + "\n", "can't be read"),
        ("x,y\n1,NaN\n2,3\n", r"'y'.*'NaN' \(1 cells\).*--na 'NaN'"),
        ("x,y\n1,.\n2,3\n", r"--na '\.'"),
    ],
)
def test_bad_csv(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        read_table(write(tmp_path / "bad.csv", text))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"sep": ";;"}, "one character"),
        ({"sep": ",", "decimal": ","}, "differ"),
        ({"encoding": "x"}, "known"),
    ],
)
def test_bad_formats(options, message) -> None:
    with pytest.raises(OptionError, match=message):
        TextFormat(**options)


def test_unreadable_files(tmp_path: Path) -> None:
    write(tmp_path / "sleep.csv", "x\n1\n")
    with pytest.raises(DataError, match=r"no file .*did you mean 'sleep.csv'"):
        read_table(tmp_path / "slep.csv")
    with pytest.raises(DataError, match="is a folder"):
        read_table(tmp_path)
    with pytest.raises(DataError, match=r"\.csv, \.tsv, .*\.parquet"):
        read_table(write(tmp_path / "sleep.xlsx", "x"))
    with pytest.raises(DataError, match="can't be read"):
        read_table(tmp_path / ("a" * 300 + ".csv"))
    broken = tmp_path / "broken.csv.gz"
    broken.write_bytes(b"\x1f\x8bnot gzipped")
    with pytest.raises(DataError, match="can't be read"):
        read_table(broken)
    latin = tmp_path / "latin.csv"
    latin.write_bytes("naïve\n1\n".encode("latin-1"))
    with pytest.raises(DataError, match="latin-1"):
        read_table(latin)


def test_a_model_reads_text_as_the_command_line_does(tmp_path: Path) -> None:
    data = bl.load_dataset("Dyestuff")
    data.to_csv(tmp_path / "a.csv", sep=";", decimal=",", index=False)
    model = bl.LinearMixedModel("Yield ~ (1 | Batch)", tmp_path / "a.csv")
    assert model.design.n == 30
    assert model.update("Yield ~ 1").design.q == 0

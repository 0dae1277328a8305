import gzip
from pathlib import Path

import pandas as pd
import pytest

from bayeslmm.datasets import read_table
from bayeslmm.errors import DataError


def write(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


def test_only_na_is_missing(tmp_path: Path) -> None:
    data = read_table(write(tmp_path / "a.csv", "x,f\n1,None\nNA,null\n3,NA\n"))
    assert data["x"].isna().tolist() == [False, True, False]
    assert data["f"].iloc[:2].tolist() == ["None", "null"]
    assert data["f"].isna().tolist() == [False, False, True]


def test_gzipped(tmp_path: Path) -> None:
    path = tmp_path / "a.csv.gz"
    path.write_bytes(gzip.compress(b"x,f\n1,a\n2,b\n"))
    assert read_table(path).to_dict("list") == {"x": [1, 2], "f": ["a", "b"]}


def test_parquet(tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    pd.DataFrame({"x": [1.0, 2.0]}).to_parquet(tmp_path / "a.parquet")
    assert read_table(str(tmp_path / "a.parquet"))["x"].tolist() == [1.0, 2.0]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "can't be read"),
        ("x,y\n", "no rows"),
        ("x,y\n1,2\n1,2,3,4\n", "line 3"),
        ("x,y\n1,\n2,3\n", r"'y'.*empty cells \(1\).*written NA"),
    ],
)
def test_bad_csv(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        read_table(write(tmp_path / "bad.csv", text))


def test_text_with_an_empty_cell_stays_text(tmp_path: Path) -> None:
    data = read_table(write(tmp_path / "a.csv", "x,f\n1,\n2,b\n"))
    assert data["f"].tolist() == ["", "b"]


def test_unreadable_files(tmp_path: Path) -> None:
    write(tmp_path / "sleep.csv", "x\n1\n")
    with pytest.raises(DataError, match=r"no file .*did you mean 'sleep.csv'"):
        read_table(tmp_path / "slep.csv")
    with pytest.raises(DataError, match="is a folder"):
        read_table(tmp_path)
    with pytest.raises(DataError, match=r"\.csv, \.csv\.gz, \.parquet"):
        read_table(write(tmp_path / "sleep.xlsx", "x"))
    broken = tmp_path / "broken.csv.gz"
    broken.write_bytes(b"not gzipped")
    with pytest.raises(DataError, match="can't be read"):
        read_table(broken)
    latin = tmp_path / "latin.csv"
    latin.write_bytes("naïve\n1\n".encode("latin-1"))
    with pytest.raises(DataError, match="utf-8"):
        read_table(latin)

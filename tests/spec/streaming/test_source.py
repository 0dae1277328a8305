"""Sources: frames of bounded size, and one clear error each."""

from pathlib import Path

import pandas as pd
import pyarrow.dataset as ds
import pytest

from bayeslmm.errors import DataError
from bayeslmm.spec.streaming import source
from bayeslmm.spec.streaming.source import ParquetSource, source_of


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for number in range(3):
        frame = pd.DataFrame({"x": range(10 * number, 10 * number + 10), "other": 1.0})
        frame.to_parquet(tmp_path / f"{number}.parquet", row_group_size=4)
    return tmp_path


def test_frames_are_small_and_numbered(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(source, "CHUNK", 3)
    frames = list(ParquetSource(folder).frames(["x"]))
    assert max(map(len, frames)) <= 3
    whole = pd.concat(frames)
    assert list(whole.index) == list(whole["x"]) == list(range(30))
    assert list(whole.columns) == ["x"]


def test_a_filtered_dataset(folder: Path) -> None:
    kept = ds.dataset(folder, format="parquet").filter(ds.field("x") >= 25)
    assert list(pd.concat(list(ParquetSource(kept).frames(["x"])))["x"]) == [25, 26, 27, 28, 29]


def test_reduction_keeps_the_order(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(source, "CHUNK", 3)
    joined = ParquetSource(folder).reduce(["x"], lambda frame: list(frame["x"]), lambda a, b: a + b)
    assert joined == list(range(30))


def test_a_table_in_memory_is_no_source() -> None:
    assert source_of(pd.DataFrame({"x": [1]})) is None
    assert source_of({"x": [1]}) is None


def test_a_path_that_leads_nowhere() -> None:
    with pytest.raises(DataError, match=r"no file or folder 'nowhere\.parquet'"):
        source_of("nowhere.parquet")


def test_a_file_that_is_not_parquet(tmp_path: Path) -> None:
    (tmp_path / "table.csv").write_text("a,b\n1,2\n", encoding="utf-8")
    with pytest.raises(DataError, match="can't be read as Parquet"):
        source_of(tmp_path / "table.csv")


def test_an_empty_folder(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="holds no Parquet file"):
        source_of(tmp_path)

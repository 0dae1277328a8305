"""Where rows come from when they aren't in memory: frames of bounded size, or work sent to them."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from os import PathLike, fspath
from pathlib import Path
from typing import Any

import pandas as pd

from bayeslmm.errors import DataError

CHUNK = 2**17  # rows held at once

type Combine[A] = Callable[[A, A], A]


class Source(ABC):
    """A table outside memory.

    Attributes
    ----------
    columns : names of its columns.
    """

    columns: tuple[str, ...]

    @abstractmethod
    def frames(self, columns: Sequence[str]) -> Iterator[pd.DataFrame]:
        """The rows in order, at most `CHUNK` at a time; the index is each row's position in the whole."""

    def reduce[A](
        self, columns: Sequence[str], reduce: Callable[[pd.DataFrame], A], combine: Combine[A]
    ) -> A | None:
        """What the frames reduce to, combined two by two from first to last; None without rows."""
        return _fold((reduce(frame) for frame in self.frames(columns)), combine)


class ParquetSource(Source):
    """A Parquet file, a folder of them, or a `pyarrow.dataset.Dataset`."""

    def __init__(self, dataset: Any) -> None:
        """Open the dataset; its schema is read, no rows.

        Raises
        ------
        DataError
            When there is no such file, it isn't Parquet, or pyarrow isn't installed.
        """
        self.dataset = dataset if hasattr(dataset, "to_batches") else _open(fspath(dataset))
        self.columns = tuple(self.dataset.schema.names)

    def frames(self, columns: Sequence[str]) -> Iterator[pd.DataFrame]:
        first = 0
        for batch in _batches(self.dataset, list(columns)):
            if batch.num_rows:
                frame = batch.to_pandas()
                yield frame.set_axis(pd.RangeIndex(first, first + len(frame)), axis=0)
                first += len(frame)


class DaskSource(Source):
    """A Dask DataFrame; partitions are reduced where they are, and combined there."""

    def __init__(self, frame: Any) -> None:
        self.frame = frame
        self.columns = tuple(str(name) for name in frame.columns)

    def _parts(self, columns: Sequence[str]) -> list[Any]:
        return list(self.frame[list(columns)].to_delayed())

    def frames(self, columns: Sequence[str]) -> Iterator[pd.DataFrame]:
        first = 0
        for part in self._parts(columns):
            for frame in _pieces(part.compute(), first):
                yield frame
                first += len(frame)

    def reduce[A](
        self, columns: Sequence[str], reduce: Callable[[pd.DataFrame], A], combine: Combine[A]
    ) -> A | None:
        from dask.delayed import delayed

        one, two = delayed(_reduce_partition), delayed(_combine_two)
        left = [one(part, number, reduce, combine) for number, part in enumerate(self._parts(columns))]
        while len(left) > 1:
            pairs = [left[at : at + 2] for at in range(0, len(left), 2)]
            left = [two(*pair, combine) if len(pair) == 2 else pair[0] for pair in pairs]
        return left[0].compute() if left else None


def source_of(data: Any) -> Source | None:
    """The source that data are, or None for a table in memory.

    Raises
    ------
    DataError
        When a path leads nowhere or the file isn't Parquet.
    """
    if isinstance(data, str | PathLike) or type(data).__module__.startswith("pyarrow._dataset"):
        return ParquetSource(data)
    if type(data).__module__.startswith("dask") and hasattr(data, "to_delayed"):
        return DaskSource(data)
    return data if isinstance(data, Source) else None


def _open(path: str) -> Any:
    if not Path(path).exists():
        raise DataError(
            f"there is no file or folder {path!r}; data are a DataFrame or the path of Parquet files"
        )
    try:
        import pyarrow as pa
        from pyarrow import dataset
    except ImportError:
        raise DataError("reading Parquet needs pyarrow: pip install 'bayeslmm[large]'") from None
    try:
        found = dataset.dataset(path, format="parquet", partitioning="hive")
    except (pa.ArrowInvalid, OSError) as error:
        hint = "read other formats into a DataFrame first"
        raise DataError(f"{path!r} can't be read as Parquet ({error}); {hint}") from None
    if not found.schema.names:
        raise DataError(f"{path!r} holds no Parquet file with columns")
    return found


def _batches(dataset: Any, columns: list[str]) -> Iterator[Any]:
    """Batches of one row group after the other: a scan of a whole file reads far ahead of a slow reader."""
    from pyarrow.dataset import ParquetFileFragment, ParquetFragmentScanOptions

    options = ParquetFragmentScanOptions(pre_buffer=False, use_buffered_stream=True)
    ask = {"columns": columns, "batch_size": CHUNK}
    try:
        fragments = list(dataset.get_fragments())
    except ValueError:  # a filtered dataset doesn't show them
        yield from dataset.to_batches(batch_readahead=1, fragment_readahead=1, **ask)
        return
    for fragment in fragments:
        whole = not isinstance(fragment, ParquetFileFragment)
        for piece in [fragment] if whole else fragment.split_by_row_group():
            more = {} if whole else {"fragment_scan_options": options}
            yield from piece.to_batches(schema=dataset.schema, **more, **ask)


def _pieces(frame: pd.DataFrame, first: int) -> Iterator[pd.DataFrame]:
    """A partition in frames of bounded size, rows numbered from `first`."""
    for at in range(0, len(frame), CHUNK):
        piece = frame.iloc[at : at + CHUNK]
        yield piece.set_axis(pd.RangeIndex(first + at, first + at + len(piece)), axis=0)


def _fold[A](parts: Iterator[A], combine: Combine[A]) -> A | None:
    """Combine neighbours of about equal size first, so that what grows isn't gone through for every part."""
    waiting: list[tuple[int, A]] = []
    for part in parts:
        size = 1
        while waiting and waiting[-1][0] <= size:
            before, total = waiting.pop()
            size, part = size + before, combine(total, part)
        waiting.append((size, part))
    while len(waiting) > 1:
        (_, last), (_, total) = waiting.pop(), waiting.pop()
        waiting.append((0, combine(total, last)))
    return waiting[0][1] if waiting else None


def _reduce_partition[A](
    frame: pd.DataFrame, number: int, reduce: Callable[[pd.DataFrame], A], combine: Combine[A]
) -> A | None:
    try:
        return _fold((reduce(piece) for piece in _pieces(frame, 0)), combine)
    except DataError as error:
        raise DataError(f"in partition {number}: {error}") from None


def _combine_two[A](a: A | None, b: A | None, combine: Combine[A]) -> A | None:
    return (a if b is None else b) if a is None or b is None else combine(a, b)

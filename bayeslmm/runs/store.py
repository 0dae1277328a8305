"""A file of finished replicates: written as they come, read again after whatever happened.

The file is a manifest and then records, all framed alike: length (8 bytes), checksum (4), content. A record
holds the number of its first replicate, the number of columns (8 bytes each), and its rows. Nothing is ever
changed but the end: a record that a crash or a full disk left unfinished doesn't pass its checksum and is cut
off.
"""

import struct
import zlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Self

import numpy as np
from numpy.typing import NDArray

from bayeslmm.errors import OptionError, OutputError
from bayeslmm.runs.manifest import Manifest
from bayeslmm.runs.places import writing
from bayeslmm.runs.plan import Done

type Array = NDArray[np.float64]

MAGIC = b"bayeslmm replicates 2\n"
FRAME = struct.Struct("<QI")
RECORD = struct.Struct("<QQ")


@dataclass(frozen=True, slots=True, eq=False)
class Store:
    """A file of replicates and what was in it when it was opened.

    Attributes
    ----------
    path : of the file. manifest : of the run it belongs to. rows : (m, width) finished replicates, None for
    none. end : bytes that hold the manifest and the records that are whole.
    """

    path: Path
    manifest: Manifest
    rows: Array | None
    end: int

    @classmethod
    def open(cls, path: str | Path, manifest: Manifest) -> Self:
        """Open a run's store, or begin it.

        Raises
        ------
        OptionError
            Where the file belongs to another run, or is no store; it is left as it is.
        OutputError
            Where it can't be written.
        """
        path = Path(path)
        if is_new(path):
            return cls.begin(path, manifest)
        found = cls.read(path)
        _check_same(path, found.manifest, manifest)
        return found

    @classmethod
    def begin(cls, path: Path, manifest: Manifest) -> Self:
        """Write the manifest of a new store, all of it or none."""
        content = MAGIC + framed(manifest.to_json(None).encode())
        partial = path.with_name(path.name + ".part")
        with writing(f"store {path}"):
            try:
                partial.write_bytes(content)
                partial.replace(path)
            except OSError:
                with suppress(OSError):
                    partial.unlink(missing_ok=True)
                raise
        return cls(path, manifest, None, len(content))

    @classmethod
    def read(cls, path: str | Path) -> Self:
        """What a store holds; a torn last record doesn't count.

        Raises
        ------
        OptionError
            For a file that isn't a store, or a folder; for records that don't follow one another.
        """
        path = Path(path)
        content = _content(path)
        frames = list(_frames(content, len(MAGIC))) if content.startswith(MAGIC) else []
        if not frames:
            raise OptionError(f"{path} isn't a store of replicates; it is left as it is. Choose another path")
        try:
            manifest = Manifest.from_json(frames[0][0].decode())
            rows = _joined([frame for frame, _ in frames[1:]])
        except (UnicodeDecodeError, OptionError) as error:
            raise OptionError(f"store {path} can't be trusted: {error}. It is left as it is") from None
        return cls(path, manifest, rows, frames[-1][1])

    @property
    def n(self) -> int:
        """Number of replicates that are done."""
        return 0 if self.rows is None else len(self.rows)

    def append(self, chunks: Iterable[Done]) -> Iterator[Done]:
        """The same chunks, each written before it is passed on.

        Raises
        ------
        OutputError
            When the disk is full or the file can't be written; what was done stays and can be resumed.
        """
        end = self.end
        with _opened(self.path) as file:
            file.truncate(end)  # a torn record
            for done in chunks:
                record = framed(_packed(done))
                _write(file, self.path, end, record, done.first)
                end += len(record)
                yield done


def is_new(path: Path) -> bool:
    """Whether nothing is there yet, or an empty file.

    Raises
    ------
    OutputError
        Where the system can't say, as of a name that is too long.
    """
    with writing(f"store {path}"):
        return not path.exists() or (path.is_file() and path.stat().st_size == 0)


def _content(path: Path) -> bytes:
    if path.is_dir():
        raise OptionError(f"store {path} is a folder; name a file in it")
    try:
        return path.read_bytes()
    except OSError as error:
        raise OptionError(f"store {path} can't be read: {error.strerror}") from None


def _packed(done: Done) -> bytes:
    return RECORD.pack(done.first, done.rows.shape[1]) + done.rows.astype("<f8").tobytes()


def framed(content: bytes) -> bytes:
    """A frame around some bytes."""
    return FRAME.pack(len(content), zlib.crc32(content)) + content


def _frames(content: bytes, position: int) -> Iterator[tuple[bytes, int]]:
    """Whole frames and where they end, until the first that isn't whole."""
    while position + FRAME.size <= len(content):
        length, checksum = FRAME.unpack_from(content, position)
        position += FRAME.size + length
        frame = content[position - length : position]
        if len(frame) != length or zlib.crc32(frame) != checksum:
            return
        yield frame, position


def _joined(records: list[bytes]) -> Array | None:
    if not records:
        return None
    parts: list[Array] = []
    n_before = 0
    for record in records:
        first, rows = _unpacked(record)
        if first != n_before or rows.shape[1] != (parts[0] if parts else rows).shape[1]:
            raise OptionError(f"the record of replicate {first} stands where that of {n_before} belongs")
        parts.append(rows)
        n_before += len(rows)
    return np.concatenate(parts)


def _unpacked(record: bytes) -> tuple[int, Array]:
    """Number of the first replicate, and rows."""
    size = len(record) - RECORD.size
    first, width = RECORD.unpack_from(record) if size > 0 else (0, 0)
    if not 0 < 8 * width <= size or size % (8 * width):
        raise OptionError(f"a record of {len(record)} bytes doesn't hold rows of {width} numbers")
    return first, np.frombuffer(record[RECORD.size :], dtype="<f8").reshape(-1, width).astype(np.float64)


def _opened(path: Path) -> BinaryIO:
    """The file for writing at its end, for this process alone."""
    with writing(f"store {path}"):
        file = path.open("r+b", buffering=0)
    if not _locked(file):
        file.close()
        raise OptionError(f"another run is writing to store {path}; wait for it, or choose another path")
    return file


def _locked(file: BinaryIO) -> bool:
    """Whether this process alone may write; the lock goes with the process, however it ends."""
    try:
        import fcntl
    except ImportError:  # not on Windows
        return True
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _write(file: BinaryIO, path: Path, end: int, record: bytes, n_done: int) -> None:
    file.seek(end)
    try:
        written = 0
        while written < len(record):
            written += file.write(record[written:])
    except OSError as error:
        file.truncate(end)
        raise OutputError(
            f"store {path} can't be written: {error.strerror}. Its {n_done} finished replicates stay; make "
            "room and give the same call again to go on from there"
        ) from error


def _check_same(path: Path, found: Manifest, asked: Manifest) -> None:
    for what, one, other in _differences(found, asked):
        raise OptionError(
            f"store {path} belongs to another run: its {what} is {one!r}, this run's is {other!r}. It is "
            "left as it is; choose another path"
        )


def _differences(found: Manifest, asked: Manifest) -> Iterator[tuple[str, Any, Any]]:
    """What is different about two runs, the most telling first."""
    one, other = found.to_dict(), asked.to_dict()
    for what, field in (("formula", "formula"), ("data", "data_hash")):
        if one[field] != other[field]:
            yield what, one[field], other[field]
    yield from _between({**one["seeds"], **one["options"]}, {**other["seeds"], **other["options"]})


def _between(one: Mapping[str, Any], other: Mapping[str, Any]) -> Iterator[tuple[str, Any, Any]]:
    for name in [*one, *(name for name in other if name not in one)]:
        if one.get(name) != other.get(name):
            yield name, one.get(name), other.get(name)

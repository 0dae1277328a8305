"""The store: what is written survives, and nothing of another run is ever touched."""

import errno
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bayeslmm.errors import OptionError, OutputError
from bayeslmm.runs.manifest import Manifest
from bayeslmm.runs.plan import Plan
from bayeslmm.runs.replicates import collect, finished
from bayeslmm.runs.store import MAGIC, RECORD, Store, _frames, framed

MANIFEST = Manifest("y ~ x", "abc", {"bootstrap": 7}, {"kind": "parametric"})


def two_numbers(generators):
    return np.array([each.standard_normal(2) for each in generators])


def fill(path, n, first=0, chunk=4):
    store = Store.open(path, MANIFEST)
    plan = Plan(n, 7, chunk, first=store.n)
    rows, _ = collect(store.append(finished(two_numbers, plan)), plan)
    return rows


@pytest.fixture
def path(tmp_path):
    return tmp_path / "replicates"


def expected(n):
    return np.concatenate([done.rows for done in finished(two_numbers, Plan(n, 7))])


def test_what_is_written_is_read(path):
    fill(path, 10)
    store = Store.read(path)
    np.testing.assert_array_equal(store.rows, expected(10))
    assert (store.manifest.formula, store.manifest.seeds, store.n) == ("y ~ x", {"bootstrap": 7}, 10)


def test_a_longer_run_goes_on_from_the_end(path):
    fill(path, 10)
    fill(path, 23, chunk=5)
    np.testing.assert_array_equal(Store.read(path).rows, expected(23))


@pytest.mark.parametrize("cut", range(1, 90, 7))
def test_a_torn_last_record_is_dropped(path, cut):
    fill(path, 12)
    whole = path.read_bytes()
    path.write_bytes(whole[:-cut])
    assert Store.read(path).n == 8
    fill(path, 12)
    assert path.read_bytes() == whole


def test_a_spoilt_last_record_is_dropped(path):
    fill(path, 12)
    content = bytearray(path.read_bytes())
    content[-3] ^= 1
    path.write_bytes(bytes(content))
    assert Store.read(path).n == 8


@pytest.mark.parametrize(
    ("other", "message"),
    [
        (Manifest("y ~ z", "abc", {"bootstrap": 7}, {"kind": "parametric"}), "its formula is 'y ~ x'"),
        (Manifest("y ~ x", "abd", {"bootstrap": 7}, {"kind": "parametric"}), "its data is 'abc'"),
        (Manifest("y ~ x", "abc", {"bootstrap": 8}, {"kind": "parametric"}), "its bootstrap is 7"),
        (Manifest("y ~ x", "abc", {"bootstrap": 7}, {"kind": "wild"}), "its kind is 'parametric'"),
    ],
)
def test_another_run_is_refused_and_nothing_overwritten(path, other, message):
    fill(path, 4)
    before = path.read_bytes()
    with pytest.raises(OptionError, match=message):
        Store.open(path, other)
    assert path.read_bytes() == before


def test_a_folder_is_no_store(tmp_path):
    with pytest.raises(OptionError, match="is a folder"):
        Store.read(tmp_path)


def test_what_is_no_store_is_left_as_it_is(path):
    path.write_text("my thesis")
    with pytest.raises(OptionError, match="isn't a store"):
        Store.open(path, MANIFEST)
    assert path.read_text() == "my thesis"


def test_two_runs_cannot_write_to_one_store(path):
    store = Store.open(path, MANIFEST)
    chunks = store.append(finished(two_numbers, Plan(10, 7, 4)))
    next(chunks)
    with pytest.raises(OptionError, match="another run is writing"):
        next(Store.open(path, MANIFEST).append(finished(two_numbers, Plan(10, 7, 4))))
    chunks.close()
    assert Store.read(path).n == 4


def test_a_folder_that_isnt_there(tmp_path):
    with pytest.raises(OutputError, match="can't be written: No such file"):
        Store.open(tmp_path / "nowhere" / "replicates", MANIFEST)


FULL_DISK = """
import resource, sys
from tests.runs.test_store import fill
from pathlib import Path
from bayeslmm.errors import OutputError
path = Path(sys.argv[1])
fill(path, 8)
size = path.stat().st_size
resource.setrlimit(resource.RLIMIT_FSIZE, (size + 100, size + 100))  # room for one record and a piece
try:
    fill(path, 100)
except OutputError as error:
    print(error)
"""


def test_on_a_full_disk_what_is_done_stays(path):
    pytest.importorskip("resource", reason="limits of a process, not on Windows")
    command = [sys.executable, "-c", FULL_DISK, str(path)]
    root = Path(__file__).parents[2]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=root)
    assert "can't be written" in done.stdout
    assert "Its 8 finished replicates stay" in done.stdout or "Its 12 finished" in done.stdout
    kept = Store.read(path)
    np.testing.assert_array_equal(kept.rows, expected(kept.n))
    assert kept.end == path.stat().st_size
    fill(path, 20)
    np.testing.assert_array_equal(Store.read(path).rows, expected(20))


def test_ctrl_c_keeps_what_is_finished():
    def interrupted():
        yield from list(finished(two_numbers, Plan(8, 7, 4)))
        raise KeyboardInterrupt

    rows, cut_short = collect(interrupted(), Plan(20, 7, 4))
    assert cut_short
    np.testing.assert_array_equal(np.concatenate(rows), expected(8))

    def at_once():
        raise KeyboardInterrupt
        yield

    with pytest.raises(KeyboardInterrupt):
        collect(at_once(), Plan(20, 7, 4))


def frames_of(path):
    content = path.read_bytes()
    return [framed(frame) for frame, _ in _frames(content, len(MAGIC))]


def record(first, rows, width=2):
    return framed(RECORD.pack(first, width) + np.asarray(rows, dtype="<f8").tobytes())


FORGERIES = {
    "repeated": lambda head, one, two, three: [head, one, one, two],
    "swapped": lambda head, one, two, three: [head, two, one, three],
    "left out": lambda head, one, two, three: [head, one, three],
    "from elsewhere": lambda head, one, two, three: [head, one, record(9, [[1, 2]])],
    "another width": lambda head, one, two, three: [head, one, record(4, [[1, 2, 3]], 3)],
    "no width": lambda head, one, two, three: [head, record(0, [[1, 2]], 0)],
    "a width beyond its end": lambda head, one, two, three: [head, record(0, [[1, 2]], 2**62)],
    "half a row": lambda head, one, two, three: [head, record(0, [1.0, 2.0, 3.0])],
    "no rows": lambda head, one, two, three: [head, record(0, [])],
    "too short": lambda head, one, two, three: [head, framed(b"abc")],
    "manifest of another kind": lambda head, one, two, three: [framed(b"[1]"), one],
    "manifest of no text": lambda head, one, two, three: [framed(b"\xff\xfe"), one],
}


@pytest.mark.parametrize("forge", FORGERIES.values(), ids=FORGERIES)
def test_forged_records_with_valid_checksums_are_refused(path, forge):
    fill(path, 12)
    path.write_bytes(MAGIC + b"".join(forge(*frames_of(path))))
    before = path.read_bytes()
    with pytest.raises(OptionError, match="can't be trusted"):
        Store.open(path, MANIFEST)
    assert path.read_bytes() == before


@given(st.binary(max_size=200), st.booleans())
def test_whatever_bytes_are_read_as_data(tmp_path_factory, content, framed_well):
    path = tmp_path_factory.mktemp("store") / "replicates"
    path.write_bytes(MAGIC + (framed(content) if framed_well else content))
    with pytest.raises(OptionError):
        Store.read(path)


@pytest.mark.parametrize("name", ["a" * 300, "a\0b"], ids=["too long", "NUL"])
def test_names_that_no_file_can_have(tmp_path, name):
    with pytest.raises(OutputError, match="can't be written"):
        Store.open(tmp_path / name, MANIFEST)


def test_a_file_system_that_cannot_be_written(path, monkeypatch):
    def refuse(*_, **__):
        raise OSError(errno.EROFS, "Read-only file system")

    monkeypatch.setattr(Path, "write_bytes", refuse)
    monkeypatch.setattr(Path, "unlink", refuse)
    with pytest.raises(OutputError, match="Read-only file system"):
        Store.open(path, MANIFEST)

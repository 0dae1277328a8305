"""Places for results: proved before the work, and the package's error for whatever the system says."""

import pytest

from bayeslmm.errors import OutputError
from bayeslmm.runs.places import prove_file, prove_folder, writing


def test_a_proof_leaves_nothing_behind_and_changes_nothing(tmp_path):
    assert prove_file(tmp_path / "new" / "a.csv") == tmp_path / "new" / "a.csv"
    assert list((tmp_path / "new").iterdir()) == []
    (tmp_path / "old").write_text("kept")
    prove_file(tmp_path / "old")
    assert (tmp_path / "old").read_text() == "kept"
    assert prove_file(tmp_path, "a.csv") == tmp_path / "a.csv"
    prove_folder(tmp_path / "folder" / "in" / "it")
    assert list((tmp_path / "folder" / "in" / "it").iterdir()) == []


@pytest.mark.parametrize("name", ["a" * 300, "a\0b", "file/inside"], ids=["too long", "NUL", "below a file"])
@pytest.mark.parametrize("prove", [prove_file, prove_folder])
def test_what_cannot_be_written_is_told(tmp_path, prove, name):
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match=r"can't be written: .*name another one"):
        prove(tmp_path / name)


def test_errors_that_are_none_of_the_system_s_pass():
    with pytest.raises(KeyError), writing("the file"):
        raise KeyError

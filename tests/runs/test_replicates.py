"""The loop of replicates: order, seeds, errors; nothing statistical."""

import os
import signal

import numpy as np
import pytest

from bayeslmm.errors import OptionError, WorkerError
from bayeslmm.runs.plan import Plan, fresh_seed, generator
from bayeslmm.runs.replicates import finished, run


def two_numbers(generators):
    return np.array([each.standard_normal(2) for each in generators])


def test_replicate_depends_on_seed_and_number_alone():
    rows = run(two_numbers, Plan(25, seed=7))
    np.testing.assert_array_equal(rows[13], generator(7, 13).standard_normal(2))
    for plan in (Plan(25, 7, chunk=4), Plan(25, 7, chunk=1, n_jobs=2), Plan(25, 7, chunk=1000)):
        np.testing.assert_array_equal(run(two_numbers, plan), rows)
    np.testing.assert_array_equal(run(two_numbers, Plan(10, seed=7)), rows[:10])


def test_replicates_and_seeds_differ():
    rows = run(two_numbers, Plan(200, seed=7))
    assert len(np.unique(rows)) == 400
    assert not np.isin(rows, run(two_numbers, Plan(200, seed=8))).any()
    assert fresh_seed() != fresh_seed()


def test_chunks_come_in_order():
    assert [done.first for done in finished(two_numbers, Plan(10, 1, chunk=3, n_jobs=2))] == [0, 3, 6, 9]


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_error_of_a_replicate_is_raised_as_it_is(n_jobs):
    def fails(generators):
        raise ZeroDivisionError("as it is")

    with pytest.raises(ZeroDivisionError, match="as it is"):
        run(fails, Plan(10, 1, chunk=2, n_jobs=n_jobs))


@pytest.mark.parametrize(
    "options", [{"n": 0}, {"n": 5, "chunk": 0}, {"n": 5, "n_jobs": 0}, {"n": 5, "n_jobs": "all"}]
)
def test_counts_are_positive(options):
    with pytest.raises(OptionError):
        Plan(**{"seed": 1} | options)


def test_progress_goes_to_standard_error_of_a_terminal(capsys, monkeypatch):
    run(two_numbers, Plan(10, 1), progress="counting")
    assert capsys.readouterr() == ("", "")
    monkeypatch.setenv("TTY_COMPATIBLE", "1")
    run(two_numbers, Plan(10, 1), progress="counting")
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "counting" in captured.err


def test_ctrl_c_in_compiled_code_is_ctrl_c():
    """Numba lets a KeyboardInterrupt out as the cause of a SystemError."""

    def interrupted(generators):
        raise SystemError("returned a result with an exception set") from KeyboardInterrupt()

    with pytest.raises(KeyboardInterrupt):
        run(interrupted, Plan(10, 1))


class Killed:
    """A task whose process is killed in some chunk, as many times as a folder has room for marks."""

    def __init__(self, folder, times):
        self.folder, self.times = folder, times

    def __call__(self, generators):
        rows = np.array([each.standard_normal(2) for each in generators])
        marks = len(list(self.folder.iterdir()))
        if marks < self.times:
            (self.folder / str(marks)).touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return rows


@pytest.mark.filterwarnings("ignore")
def test_what_a_killed_process_had_is_made_again(tmp_path):
    joblib = pytest.importorskip("joblib")
    with joblib.parallel_config("loky"):
        rows = run(Killed(tmp_path, 1), Plan(12, 7, 3, n_jobs=2))
    np.testing.assert_array_equal(rows, run(Killed(tmp_path, 0), Plan(12, 7, 3)))


@pytest.mark.filterwarnings("ignore")
def test_processes_that_are_killed_always_end_in_one_error(tmp_path):
    joblib = pytest.importorskip("joblib")
    with joblib.parallel_config("loky"), pytest.raises(WorkerError, match=r"after 0 of 12.*store="):
        run(Killed(tmp_path, 1000), Plan(12, 7, 3, n_jobs=2))

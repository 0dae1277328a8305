"""Pieces that fit into a budget, and how far a run is where there is no terminal."""

from time import sleep

import numpy as np
import pytest

from bayeslmm.runs import progress
from bayeslmm.runs.budget import Cost, fitting, timed
from bayeslmm.runs.plan import Done, Plan


@pytest.mark.parametrize(
    ("each", "seconds", "n"), [(0.5, 10, 20), (1e-9, 10, 2000), (3.0, 2.0, 0), (1, -5, 0)]
)
def test_as_many_pieces_as_fit(each, seconds, n):
    assert fitting(each, seconds, 2000) == n


def test_a_cost_says_what_it_is_made_of():
    assert (
        str(Cost("bootstrap", "replicate", 0.41, 2000))
        == "bootstrap: about 14 min (2000 replicates of 410 ms)"
    )


def test_what_the_first_piece_compiles_is_not_foretold_of_all(monkeypatch):
    """However long it takes: a first evaluation of 18 s would foretell hours where seconds follow."""
    clock = iter([0.0, 18.0, 18.0, 18.25])
    monkeypatch.setattr("bayeslmm.runs.budget.thread_time", lambda: next(clock))
    assert timed(lambda: None) == 0.25


def test_what_others_take_of_the_processor_is_not_foretold():
    assert timed(lambda: sleep(0.2)) < 0.1


def test_a_log_gets_a_line_now_and_then(monkeypatch, capsys):
    monkeypatch.setattr(progress, "EVERY", -1.0)
    chunks = [Done(first, np.zeros((10, 1))) for first in (0, 10, 20)]
    assert len(list(progress.shown(iter(chunks), Plan(30, 1), "replicates"))) == 3
    lines = capsys.readouterr().err.splitlines()
    assert [line.partition(", about")[0] for line in lines] == [
        "replicates: 10 of 30",
        "replicates: 20 of 30",
    ]


def test_what_cannot_say_how_far_it_is_says_how_long_it_has_taken(monkeypatch, capsys):
    monkeypatch.setattr(progress, "EVERY", 0.01)
    with progress.waited("Comparing", of=40.0):
        sleep(0.2)
    said = capsys.readouterr().err.splitlines()
    assert len(said) > 1
    assert all(line.startswith("Comparing: ") and line.endswith("ms so far, of about 40 s") for line in said)
    sleep(0.05)
    assert capsys.readouterr().err == ""


def test_what_is_waited_for_within_says_nothing_of_its_own(monkeypatch, capsys):
    monkeypatch.setattr(progress, "EVERY", 0.01)
    with progress.waited("Comparing"), progress.waited("Climbing"):
        sleep(0.1)
    assert {line.partition(":")[0] for line in capsys.readouterr().err.splitlines()} == {"Comparing"}


def test_a_silent_run_says_nothing(monkeypatch, capsys):
    monkeypatch.setattr(progress, "EVERY", -1.0)
    list(progress.shown(iter([Done(0, np.zeros((10, 1)))]), Plan(30, 1), None))
    assert capsys.readouterr().err == ""

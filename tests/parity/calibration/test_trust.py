"""Which method is trusted, from what was said of one estimand."""

import numpy as np
import pytest

from bayeslmm.parity.calibration.methods.base import Said
from bayeslmm.parity.calibration.trust import Performance, trusted

N = 1000


def performance(half):
    """Of intervals of these half-widths about normal estimates of 0."""
    point = np.random.default_rng(1).normal(size=N)
    half = np.broadcast_to(half, N)
    said = Said.interval(point, point - half, point + half, np.zeros(N))
    return Performance.of(Said(*(each[:, None] for each in said)), 0, np.zeros(N), 0.95)


def test_the_nominal_one_is_trusted_not_the_widest():
    found = {"short": performance(1.6), "right": performance(1.96), "long": performance(3.0)}
    said = trusted("a", found, 0.95)
    assert said["method"] == "right" and said["width"] == pytest.approx(2 * 1.96)
    assert "short missed it too often" in said["sentence"] and "long is wider" in said["sentence"]


def test_intervals_without_end_are_no_match_for_those_that_end():
    """Their mean score has an error as large as itself, which proves nothing."""
    endless = np.where(np.arange(N) % 100 == 0, 1e9, 1.96)
    said = trusted("a", {"endless": performance(endless), "right": performance(1.97)}, 0.95)
    assert said["method"] == "right"
    alone = trusted("a", {"endless": performance(endless)}, 0.95)
    assert alone["width"] == pytest.approx(2 * 1.96)
    assert "over 10 times as wide" in alone["sentence"]


def test_where_none_is_nominal_the_nearest_is_named():
    said = trusted("a", {"short": performance(1.6), "shorter": performance(1.2)}, 0.95)
    assert said["method"] == "short" and "too short" in said["sentence"]

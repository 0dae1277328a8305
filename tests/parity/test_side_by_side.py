"""Values in one row, and how intervals overlap."""

from math import isnan

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bayeslmm.parity.side_by_side import overlap, ratio, side_by_side
from bayeslmm.parity.sides import recognise

finite = st.floats(-100, 100)
positive = st.floats(0.01, 100)


def test_the_bootstraps_interval_comes_first_for_a_variance(reml, bootstrap, posterior):
    sides = recognise((reml, bootstrap, posterior), None, 0.95)
    assert side_by_side("sd[Subject: Days]", sides).interval == "percentile"
    assert side_by_side("beta[Days]", sides).interval == "wald"


def test_a_side_may_be_silent(reml):
    both = side_by_side("sigma", recognise((reml,), None, 0.95))
    assert isnan(both.mean)
    assert both.estimate == 25.59


@given(finite, positive, finite, positive)
def test_overlap_is_symmetric_and_a_proportion(a, width_a, b, width_b):
    first, second = (a, a + width_a), (b, b + width_b)
    assert overlap(*first, *second) == overlap(*second, *first)
    assert 0 <= overlap(*first, *second) <= 1
    assert overlap(*first, *first) == pytest.approx(1)


def test_nothing_is_divided_by_nothing():
    assert isnan(ratio(1.0, 0.0))

"""All students of InstEval left out in turn."""

import time

import numpy as np
import pytest

import bayeslmm as bl
from bayeslmm.spec.row_sets import RowSets
from bayeslmm.spec.subset import without


@pytest.mark.slow
def test_every_student_is_left_out_in_seconds(record_testsuite_property):
    data = bl.load_dataset("InstEval")
    fit = bl.LinearMixedModel("y ~ service + (1 | s) + (1 | d) + (1 | dept:service)", data).fit()
    start = time.process_time()
    found = fit.influence("s")
    record_testsuite_property("influence_of_all_students_cpu_seconds", time.process_time() - start)
    assert not found.without.searched.any()
    worst = int(np.argmax(found.cooks_distance))
    units = RowSets.of(fit.design, "s")
    other = type(fit).of(without(fit.design, units.rows(worst)), fit.options)
    errors = fit.estimates().frame["se"]
    apart = np.abs(found.estimates.iloc[worst] - other.estimates().frame["estimate"]) / errors
    assert apart.max() < 3e-3

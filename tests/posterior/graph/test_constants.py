"""Numbers written into a graph keep their digits, and PyTensor's habit is as it was afterwards."""

import numpy as np
import pytensor.tensor as pt

from bayeslmm.posterior.graph.constants import exact_constants


def test_logarithms_of_small_numbers_have_double_precision():
    with exact_constants():
        found = [pt.log(2), pt.sqrt(2.0), pt.log(3.5)]
    assert {each.dtype for each in found} == {"float64"}
    np.testing.assert_allclose(
        [each.eval() for each in found], [np.log(2), np.sqrt(2), np.log(3.5)], rtol=1e-15
    )


def test_the_habit_comes_back():
    before = pt.as_tensor(2).dtype, pt.as_tensor(2.0).dtype
    try:
        with exact_constants():
            raise KeyError
    except KeyError:
        pass
    assert (pt.as_tensor(2).dtype, pt.as_tensor(2.0).dtype) == before

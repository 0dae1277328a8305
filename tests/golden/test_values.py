"""The migration contract: what a user sees of ten models stays what it was when `values.json` was frozen.

Kernel values hold to 1e-12 of their size, criteria to 1e-9, what is read off θ to 1e-6 of its column: that is
how far θ could be from the optimum. What is meant to change is frozen anew, with the old and new value in
CHANGELOG.md.
"""

import json

import numpy as np
import pytest

from tests.golden.collect import FROZEN, SECTIONS, section
from tests.golden.models import MODELS

VALUES = json.loads(FROZEN.read_text())
TOLERANCES = {"kernel": 1e-12, "criteria": 1e-9}
# a limit is where a curve crosses; a density's quantile is where a curve flat at zero does
OTHERS = {"profile": 1e-5, "quadrature": 1e-5, "parity": 1e-5}


def tolerance(what, name):
    return TOLERANCES.get(what, OTHERS.get(name.partition(".")[0], 1e-6))


@pytest.mark.parametrize("what", SECTIONS)
@pytest.mark.parametrize("name", MODELS)
def test_values_are_as_frozen(name, what):
    frozen, found = VALUES[name][what], section(name, what)
    assert found.keys() >= frozen.keys()
    off = {}
    for key, values in frozen.items():
        expected, seen = np.array(values, dtype=float), np.array(found[key], dtype=float)
        assert seen.shape == expected.shape, key
        assert np.array_equal(np.isnan(seen), np.isnan(expected)), key
        scale = np.nanmax(np.abs(expected[np.isfinite(expected)]), initial=0.0) or 1.0
        same = np.isclose(seen, expected, rtol=0, atol=tolerance(what, key) * scale, equal_nan=True)
        if not same.all():
            off[key] = float(np.nanmax(np.abs(seen - expected)) / scale)
    assert off == {}

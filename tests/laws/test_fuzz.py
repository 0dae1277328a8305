"""Random designs end in a fit whose evidence holds, a named status, or one of the package's errors."""

import pytest

from tests.laws.fuzz import faults


@pytest.mark.parametrize("seed", range(40))
def test_a_random_design_is_fitted_or_refused(seed):
    assert [what for kind, what in faults(seed) if kind in ("foreign", "silent")] == []

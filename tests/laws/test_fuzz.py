"""Random designs end in a fit whose evidence holds, a named status, or one of the package's errors."""

import pytest

from tests.laws.fuzz import faults
from tests.laws.fuzz_designs import dressed
from tests.laws.fuzz_extremes import extreme
from tests.laws.fuzz_residuals import with_residual

FAULTS = ("foreign", "silent", "foreign warning", "another prediction")
FAR_DELTA = (300049, 300061)  # standard deviations beyond floating point on the way
# squares of variances beyond floating point; exponentials of a column far from 0; sigma 0; fitted values that
# a variance of theirs drives to 0; a response that the fixed part explains; a residual that rounding leaves
# below 0; a covariate of 1e153
OFF_THE_MAP = (400019, 400125, 400202, 400214, 400393, 400586, 400706, 402151, 402859, 500721, 501435)
NO_DIGITS = (401443,)  # variances that rounding leaves below 0


@pytest.mark.parametrize("seed", [*range(40), *NO_DIGITS])
def test_a_random_design_is_fitted_or_refused(seed):
    assert [what for kind, what in faults(seed, dressed) if kind in FAULTS] == []


@pytest.mark.parametrize("seed", [0, 2, 3, 5, 6, 7, *FAR_DELTA])
def test_so_is_one_with_a_residual_that_has_parameters(seed):
    assert [what for kind, what in faults(seed, with_residual) if kind in FAULTS] == []


@pytest.mark.parametrize("seed", OFF_THE_MAP)
def test_so_is_one_at_the_edges(seed):
    assert [what for kind, what in faults(seed, extreme) if kind in FAULTS] == []


# a vanished sd whose correlation is free; a bar far from its origin; several minima in a few rows or of a few
# heavy ones; no minimum
BEATEN_ONCE = (1016, 1082, 1127, 2001, 3110, 3148, 3173, 3208, 3435, 3564, 30519)
# one heavy row, far from its start; a curved structure far from its origin; no minimum, and few digits;
# a valley where one independent coef has vanished
DRESSED = (50777, 51452, 200919, 510320)


@pytest.mark.parametrize("seed", BEATEN_ONCE)
def test_restarts_find_nothing_lower(seed):
    assert [what for kind, what in faults(seed) if kind == "beaten"] == []


@pytest.mark.parametrize("seed", DRESSED)
def test_restarts_of_dressed_designs_find_nothing_lower(seed):
    assert [what for kind, what in faults(seed, dressed) if kind == "beaten"] == []


# several valleys of φ: kinks, powers of a variance
OF_PHI = (300011, 300017, 300049)


@pytest.mark.parametrize("seed", OF_PHI)
def test_restarts_of_residuals_with_parameters_find_nothing_lower(seed):
    assert [what for kind, what in faults(seed, with_residual) if kind == "beaten"] == []


# a slope whose mean is in T, of either correlation; independent coefs, one of which vanishes, of a few rows
AT_THE_EDGES = (400726, 401494)


@pytest.mark.parametrize("seed", AT_THE_EDGES)
def test_restarts_of_designs_at_the_edges_find_nothing_lower(seed):
    assert [what for kind, what in faults(seed, extreme) if kind == "beaten"] == []

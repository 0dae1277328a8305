"""Members of any prior family, those of a file written tomorrow included."""

from dataclasses import fields

from hypothesis import strategies as st

from bayeslmm.errors import PriorError
from bayeslmm.spec.priors import Prior

FAMILIES = list(Prior.kinds().values())
SCALAR = [family for family in FAMILIES if family.support != "correlation"]
PROPER = [family for family in SCALAR if family.proper]
POSITIVE = st.integers(20, 95).map(lambda n: n / 100) | st.integers(5, 80).map(lambda n: n / 10)
REAL = st.integers(-40, 40).map(lambda n: n / 10)


def members(family):
    """Strategy of a family's records; parameters it refuses are drawn again."""
    values = {each.name: POSITIVE if each.name in family.positive else REAL for each in fields(family)}
    return st.fixed_dictionaries(values).map(lambda given: made(family, given)).filter(bool)


def made(family, given):
    """The record, or None where it refuses."""
    try:
        return family(**given)
    except PriorError:
        return None

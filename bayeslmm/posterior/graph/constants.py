"""PyTensor keeps a constant in the smallest type that holds it, and log 2 has that type's digits."""

from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def exact_constants() -> Iterator[None]:
    """Within, what is written into a graph has double precision: PyMC's log 2 and √2 have their digits."""
    from pytensor.scalar.basic import autocast_float, autocast_int

    casters = autocast_int, autocast_float
    before = [caster.dtypes for caster in casters]
    for caster in casters:
        caster.dtypes = caster.dtypes[-1:]
    try:
        yield
    finally:
        for caster, dtypes in zip(casters, before, strict=True):
            caster.dtypes = dtypes

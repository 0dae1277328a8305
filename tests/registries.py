"""Kinds that live for a test."""

from contextlib import contextmanager


@contextmanager
def forgotten(base):
    """What registers inside is forgotten after."""
    known = dict(base._kinds)
    try:
        yield
    finally:
        base._kinds.clear()
        base._kinds.update(known)

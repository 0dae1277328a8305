"""Compiled functions as Python runs them, while that is quicker than compiling or loading them.

A first fit of some hundred rows is a tenth of a second of interpreted Python; what it calls takes ten seconds
to compile, and half a second to load from disk. A function is interpreted until it has had its share, by then
about what the other way costs; meanwhile another process compiles ahead (see `shared_cache`). Both ways give
the same bits.
"""

from collections.abc import Callable
from dataclasses import dataclass
from threading import local
from typing import Any

import numpy as np

SHARE = 30_000  # elements of a function's arguments, all its calls together: about a second
LOADED = 3_000  # the same where its code is on disk
LIMIT = 9_000  # of one call


class _Inside(local):
    """Whether this thread is in an interpreted function."""

    now = False


INSIDE = _Inside()


@dataclass(eq=False)
class Interpreted:
    """A compiled function as it is written.

    Attributes
    ----------
    function : of arrays and scalars. share, elements : of all arguments, that it may be given and was.
    """

    function: Callable[..., Any]
    share: int = SHARE
    elements: int = 0

    def affords(self, arguments: tuple[Any, ...], on_disk: Callable[[], bool]) -> bool:
        """Whether these arguments are within its share; an interpreted function calls interpreted ones.

        The disk is asked where the answer depends on it only: that takes longer than a small call.
        """
        if self.share == 0 or INSIDE.now:
            return self.share > 0
        size = n_elements(arguments)
        if size >= LIMIT or self.elements + size >= self.share:
            return False
        return self.elements + size < LOADED or not on_disk()

    def __call__(self, *arguments: Any) -> Any:
        """As compiled code would: it divides as IEEE 754 says, without a word."""
        if INSIDE.now:
            return self.function(*arguments)
        self.elements += n_elements(arguments)
        INSIDE.now = True
        try:
            with np.errstate(all="ignore"):
                return plain(self.function(*arguments))
        finally:
            INSIDE.now = False


def n_elements(value: Any) -> int:
    """How many numbers there are in arrays, and in tuples of them."""
    if isinstance(value, tuple):
        return sum(map(n_elements, value))
    return value.size if isinstance(value, np.ndarray) else 0


def plain(value: Any) -> Any:
    """Python's numbers for NumPy's, as compiled code returns them."""
    if type(value) is tuple:
        return tuple(map(plain, value))
    return value.item() if isinstance(value, np.generic) else value

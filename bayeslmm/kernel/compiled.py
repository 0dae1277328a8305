"""The one place where compilation is configured: cached on disk, free of the GIL, IEEE division."""

from collections.abc import Callable
from typing import Any, cast

import numba


def compiled[F: Callable[..., Any]](function: F) -> F:
    """Compile a function of arrays and scalars by numba.

    Compiled code is cached on disk, releases the GIL and divides as IEEE 754 says, so that a wild step
    gives an infinite or undefined number and never an exception.
    """
    return cast(F, numba.njit(cache=True, nogil=True, error_model="numpy")(function))

"""Assignments to parts of arrays; numba's own compile the text of an error with them, some seconds."""

import numpy as np
from numpy.typing import NDArray

from bayeslmm.kernel.compiled import copied


@copied
def put[T: np.generic](values: NDArray[T], into: NDArray[T]) -> None:
    """Copy a vector into another."""
    for i in range(len(into)):
        into[i] = values[i]


@copied
def put_rows[T: np.generic](values: NDArray[T], into: NDArray[T]) -> None:
    """Copy a matrix into another."""
    for i in range(into.shape[0]):
        for j in range(into.shape[1]):
            into[i, j] = values[i, j]

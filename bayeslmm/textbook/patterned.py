"""Matrices aI + bJ, J all ones: the covariance of a group in the one-way model.

Source: Searle, Casella & McCulloch (1992), Variance Components, appendix M.
"""

import numpy as np

from bayeslmm.errors import OptionError, check_whole
from bayeslmm.textbook.inputs import Array, number


def patterned(n: int, a: float, b: float) -> Array:
    """The (n, n) matrix aI + bJ.

    Examples
    --------
    >>> patterned(2, 3.0, 1.0)
    array([[4., 1.],
           [1., 4.]])
    """
    check_whole("n", n, 1)
    return number("a", a) * np.eye(n) + number("b", b) * np.ones((n, n))


def patterned_inverse(n: int, a: float, b: float) -> Array:
    """(aI + bJ)⁻¹ = (I − b/(a + nb) J)/a.

    Raises
    ------
    OptionError
        Where the matrix is singular: a = 0, or a + nb = 0.

    Examples
    --------
    >>> np.allclose(patterned(5, 3.0, 2.0) @ patterned_inverse(5, 3.0, 2.0), np.eye(5))
    True
    """
    if patterned_determinant(n, a, b) == 0:
        raise OptionError(f"aI + bJ with a = {a:g}, b = {b:g}, n = {n} is singular: a or a + nb is 0")
    return patterned(n, 1 / a, -b / (a * (a + n * b)))


def patterned_determinant(n: int, a: float, b: float) -> float:
    """The determinant of aI + bJ, aⁿ⁻¹(a + nb): eigenvalues are a + nb once and a n − 1 times.

    Examples
    --------
    >>> patterned_determinant(3, 2.0, 1.0)
    20.0
    """
    check_whole("n", n, 1)
    repeated, single = number("a", a), number("a", a) + n * number("b", b)
    return repeated ** (n - 1) * single

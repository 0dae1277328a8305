"""Which combinations c'β + d'b can be estimated.

cᵀβ has an unbiased linear estimate if and only if c lies in the row space of X: c = Xᵀa for some a. Then
cᵀβ + dᵀb can be predicted whatever d is, as E(b) = 0; otherwise it can't, whatever d is.

Source: Searle (1971), Linear Models, chapter 5; Harville (1976), Annals of Statistics 4, 384-395, for cᵀβ +
dᵀb.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from bayeslmm.textbook.inputs import Array, matrix, numbers

TOLERANCE = 1e-9  # of the length of c, columns of X scaled to length 1


@dataclass(frozen=True, eq=False)
class Estimability:
    """The answer, with a witness either way.

    Attributes
    ----------
    holds : whether cᵀβ is estimable.
    row_weights : (n,) a with aᵀX = cᵀ, so that E(aᵀy) = cᵀβ; None where there is none.
    invisible : (p,) v with Xv = 0 and cᵀv = 1: β and β + v give y one mean, and cᵀβ two values; or None.
    """

    holds: bool
    row_weights: Array | None
    invisible: Array | None

    def __bool__(self) -> bool:
        return self.holds


def estimability(c: ArrayLike, X: ArrayLike) -> Estimability:
    """Whether cᵀβ, and with it cᵀβ + dᵀb for any d, is estimable.

    Parameters
    ----------
    c : (p,). X : (n, p), of any rank.

    Raises
    ------
    DataError
        When c hasn't one number for each column of X.

    Examples
    --------
    >>> X = [[1, 1, 0], [1, 1, 0], [1, 0, 1]]  # an intercept and both treatments
    >>> bool(estimability([0, 1, -1], X)), bool(estimability([0, 1, 0], X))
    (True, False)
    >>> estimability([0, 1, 0], X).invisible.round(3)
    array([-1.,  1.,  1.])
    """
    columns = matrix("X", X)
    asked = numbers("c", c, columns.shape[1])
    lengths = np.linalg.norm(columns, axis=0)
    lengths = np.where(lengths > 0, lengths, 1.0)
    unit, scaled = columns / lengths, asked / lengths
    weights, *_ = np.linalg.lstsq(unit.T, scaled)
    missed = scaled - unit.T @ weights
    if np.linalg.norm(missed) <= TOLERANCE * max(np.linalg.norm(scaled), np.finfo(float).tiny):
        return Estimability(True, weights, None)
    return Estimability(False, None, missed / lengths / (missed @ missed))

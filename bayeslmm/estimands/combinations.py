"""Linear combinations c'β + d'b: values and covariances, whatever engine gave β and b."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

type Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Combinations:
    """m linear combinations Cβ + Db.

    Attributes
    ----------
    labels : (m,) names
    C : (m, p) coefficients of the fixed effects
    D : (m, q) coefficients of the random effects, in the order of Z's columns
    """

    labels: tuple[str, ...]
    C: Array
    D: Array

    def __post_init__(self) -> None:
        """Check that the shapes fit together."""
        if not len(self.labels) == len(self.C) == len(self.D):
            raise ValueError(f"{len(self.labels)} labels for {len(self.C)} and {len(self.D)} rows")


def values(combinations: Combinations, beta: Array, b: Array) -> Array:
    """Cβ + Db, shape (..., m); leading axes of ``beta`` (..., p) and ``b`` (..., q) are draws."""
    result: Array = beta @ combinations.C.T + b @ combinations.D.T
    return result


def covariance(
    combinations: Combinations, vcov: Array, sensitivity: Array, conditional: Callable[[Array], Array]
) -> Array:
    """Covariance of Cβ̂ + D(b̂ - b), the prediction error at known variance parameters, shape (m, m).

    With b̂(β) = b̂₀ + Bβ and S = Var(b | y, β) it is (C + DB) Var(β̂) (C + DB)' + D S D', since the error of b
    given β is independent of β̂ (Henderson 1975).

    Parameters
    ----------
    combinations : Combinations
    vcov : (p, p)
        Var(β̂).
    sensitivity : (q, p)
        B = ∂b̂/∂β.
    conditional : callable
        D' (q, m) to S D' (q, m); S need not be formed.
    """
    W = combinations.C + combinations.D @ sensitivity
    result: Array = W @ vcov @ W.T + combinations.D @ conditional(combinations.D.T)
    return result

"""The generalized least-squares solution that A holds."""

from dataclasses import dataclass
from typing import Self

import numpy as np

from bayeslmm.kernel.arrays import Floats


@dataclass(frozen=True, slots=True, eq=False)
class Solved:
    """δ̂ with A_QQ δ̂ = A_Qr, and what comes with it; NaN where A_QQ is not positive definite.

    Attributes
    ----------
    delta : (p,) δ̂ = R_Xβ̂ − γ. r2 : A_rr − A_rQ δ̂, the penalized weighted residual sum of squares.
    inverse : (p, p) A_QQ⁻¹, the covariance of δ̂ over σ². logdet : log|A_QQ|.
    """

    delta: Floats
    r2: float
    inverse: Floats
    logdet: float

    @classmethod
    def of(cls, A: Floats) -> Self:
        """Solve A (p + 1, p + 1), scaled to a diagonal of 1; the inverse is a square, positive definite."""
        p = len(A) - 1
        squares = np.diag(A)[:p]
        if not np.all(squares > 0):
            return cls.nothing(p)
        sizes = np.sqrt(squares)
        try:
            L = np.linalg.cholesky(A[:p, :p] / np.outer(sizes, sizes))
        except np.linalg.LinAlgError:
            return cls.nothing(p)
        root = np.linalg.inv(L) / sizes
        seen = root @ A[:p, p]
        logdet = 2.0 * float(np.sum(np.log(np.diag(L) * sizes)))
        return cls(root.T @ seen, float(A[p, p] - seen @ seen), root.T @ root, logdet)

    @classmethod
    def nothing(cls, p: int) -> Self:
        """Where there is no solution."""
        return cls(np.full(p, np.nan), np.nan, np.full((p, p), np.nan), -np.inf)

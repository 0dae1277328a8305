"""The generalized least-squares solution that A holds."""

from dataclasses import dataclass
from typing import Self

import numpy as np

from bayeslmm.kernel.arrays import Floats
from bayeslmm.kernel.factor.dense import sweep


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
        """Solve A (p + 1, p + 1)."""
        p = len(A) - 1
        K = A.copy()
        logdet = sweep(K, p)  # K is now [−A_QQ⁻¹, δ̂; δ̂ᵀ, r²]
        if not np.isfinite(logdet):
            K[:] = np.nan
        return cls(K[p, :p].copy(), float(K[p, p]), -K[:p, :p], logdet)

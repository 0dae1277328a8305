"""The fixed effects given (σ, A), as δ = R_Xβ − γ: their prior, and draws from N(K⁻¹c, K⁻¹).

K = A_QQ/σ² + P and c = A_Qr/σ² + s, with P and s the precision and the shift of δ's prior.
"""

from dataclasses import dataclass, replace

import numpy as np

from bayeslmm.kernel.arrays import Floats
from bayeslmm.kernel.compiled import compiled, inlined
from bayeslmm.kernel.factor.dense import cholesky_leading
from bayeslmm.kernel.kernel import Kernel


@dataclass(frozen=True, slots=True, eq=False)
class PriorOfDelta:
    """A Gaussian prior of δ = R_Xβ − γ, flat where its precision is 0.

    Attributes
    ----------
    precision : (p, p). shift : (p,) precision times mean.
    log_constant : what −½δᵀPδ + sᵀδ lacks of the log density of β's prior.
    """

    precision: Floats
    shift: Floats
    log_constant: float = 0.0

    @classmethod
    def flat(cls, p: int) -> "PriorOfDelta":
        """Flat in all p coordinates."""
        return cls(np.zeros((p, p)), np.zeros(p))

    @classmethod
    def of_beta(
        cls, kernel: Kernel, precision: Floats, shift: Floats, log_constant: float = 0.0
    ) -> "PriorOfDelta":
        """From a prior of β with log density −½βᵀS⁻¹β + (S⁻¹m)ᵀβ + `log_constant`.

        Parameters
        ----------
        precision : S⁻¹ (p, p). shift : S⁻¹m (p,).
        """
        if not (precision.any() or shift.any()):
            return replace(cls.flat(len(shift)), log_constant=log_constant)
        inverse, gamma = np.linalg.inv(kernel.R_X), kernel.gamma_ls
        moved, along = inverse.T @ precision @ inverse, inverse.T @ shift
        to_centre = moved @ gamma
        return cls(moved, along - to_centre, log_constant + float(gamma @ along - 0.5 * gamma @ to_centre))


@inlined
def fixed_effects_system(A: Floats, sigma: float, precision: Floats, shift: Floats) -> Floats:
    """[K, c; cᵀ, 0], (p + 1, p + 1)."""
    p, variance = len(shift), sigma * sigma
    K = np.zeros((p + 1, p + 1))
    for i in range(p):
        for j in range(p):
            K[i, j] = A[i, j] / variance + precision[i, j]
        K[p, i] = A[p, i] / variance + shift[i]
        K[i, p] = K[p, i]
    return K


@compiled
def fixed_effects_factor(A: Floats, sigma: float, precision: Floats, shift: Floats) -> Floats:
    """[L_K; (L_K⁻¹c)ᵀ] with K = L_K L_Kᵀ, in the lower triangle of (p + 1, p + 1)."""
    K = fixed_effects_system(A, sigma, precision, shift)
    cholesky_leading(K, len(shift))
    return K


@compiled
def draw_fixed_effects(K: Floats, z: Floats) -> Floats:
    """δ = L_K⁻ᵀ(L_K⁻¹c + z), (m, p), of standard normal z (m, p)."""
    p = z.shape[1]
    delta = z.copy()
    for d in range(z.shape[0]):
        for i in range(p - 1, -1, -1):
            delta[d, i] += K[p, i]
            for j in range(i + 1, p):
                delta[d, i] -= K[j, i] * delta[d, j]
            delta[d, i] /= K[i, i]
    return delta

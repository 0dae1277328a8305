"""What a fit says of rows: the linear predictor, its variance, and the leverage of each observation."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from bayeslmm.kernel.effects.conditional import Conditional
from bayeslmm.kernel.kernel import Kernel

if TYPE_CHECKING:
    from scipy.sparse import csr_array

type Array = NDArray[np.float64]

CELLS = 4_000_000  # of a dense slice (rows × columns)


def ranef_variances(conditional: Conditional, Z: "csr_array") -> Array:
    """zᵀΛM⁻¹Λᵀz of each row of Z (m, q); times σ² it is Var(zᵀb | y, β)."""
    variances = np.zeros(Z.shape[0])
    for root in _root_slices(conditional, Z):
        variances += np.einsum("ij,ij->i", root, root)
    return variances


def _root_slices(conditional: Conditional, Z: "csr_array") -> Iterator[Any]:
    """Z times slices of columns of ΛL⁻ᵀ, a root of ΛM⁻¹Λᵀ."""
    m, q = Z.shape
    width = max(1, min(q, CELLS // max(m, q, 1)))
    for first in range(0, q, width):
        columns = np.arange(first, min(first + width, q))
        unit = np.zeros((q, len(columns)))
        unit[columns, columns - first] = 1.0
        yield Z @ conditional.draw(unit)


def beta_variances(kernel: Kernel, conditional: Conditional, X: Array, Z: "csr_array | None" = None) -> Array:
    """What estimating β adds to the variance of xᵀβ̂ + zᵀ(b̂ − b), over σ²; z = 0 if `Z` is None.

    |K⁻¹(R_X⁻ᵀx − b_Qᵀz)|² with A_XX = KKᵀ.
    """
    from scipy.linalg import solve_triangular

    if kernel.p == 0:
        return np.zeros(len(X))
    sensitivity = solve_triangular(kernel.R_X, X.T, trans="T")
    if Z is not None:
        sensitivity = sensitivity - (Z @ conditional.b_Q).T
    K = np.linalg.cholesky(conditional.A[:-1, :-1])
    root = solve_triangular(K, sensitivity, lower=True)
    return np.asarray(np.einsum("ij,ij->j", root, root))


def hat_values(kernel: Kernel, conditional: Conditional, X: Array, Z: "csr_array") -> Array:
    """Diagonal (n,) of the matrix that takes whitened y to its fitted values, of whitened rows of X and Z.

    Their sum is the effective number of parameters; with independent rows they are those of y itself.
    """
    return ranef_variances(conditional, Z) + beta_variances(kernel, conditional, X, Z)

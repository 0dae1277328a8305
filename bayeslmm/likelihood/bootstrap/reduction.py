"""A response given row by row, reduced to the statistics a refit needs."""

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from bayeslmm.kernel.kernel import Kernel
from bayeslmm.kernel.problem.relation import related_products
from bayeslmm.kernel.problem.sufficient import to_whitened_products
from bayeslmm.likelihood.bootstrap.responses import Response, Responses
from bayeslmm.spec.design import Design

if TYPE_CHECKING:
    from scipy.sparse import csc_array

type Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class RowReduction:
    """Rows of y − Xβ̂ − offset to (Z̃ᵀr, Qᵀy, rᵀr); everything is whitened.

    Attributes
    ----------
    kernel : the design's, kept beside it because a design that travels to another process leaves it behind.
    """

    design: Design
    kernel: Kernel

    @cached_property
    def Q(self) -> Array:
        """(n, p) the kernel's orthonormal basis of whitened X."""
        from scipy.linalg import solve_triangular

        rows = self.design.residual.whiten(self.design.X)
        return solve_triangular(self.kernel.R_X, rows.T, trans="T").T if self.design.p else rows

    @cached_property
    def Zt(self) -> "csc_array":
        """(q, n) transpose of whitened Z."""
        from scipy.sparse import csc_array

        return csc_array(self.design.residual.whiten(self.design.Z).T)

    def __call__(self, y: Array, b: Array) -> Response:
        """Statistics of one response (n,), made with effects b (q,)."""
        white = self.design.residual.whiten(y)
        gamma = self.Q.T @ white
        r = white - self.Q @ gamma
        kernel = self.kernel
        zr = related_products(kernel.known, kernel.problem, self.Zt @ r)
        return Response(to_whitened_products(kernel.problem, zr), gamma, float(r @ r), b)

    def many(self, y: Array) -> Responses:
        """Statistics of m responses (m, n), made with effects nobody will ask for."""
        white = self.design.residual.whiten(y.T).T
        gamma = white @ self.Q
        r = white - gamma @ self.Q.T
        kernel = self.kernel
        zr = np.ascontiguousarray((self.Zt @ r.T).T)
        if kernel.known:
            zr = np.array([related_products(kernel.known, kernel.problem, each) for each in zr])
        zr = to_whitened_products(kernel.problem, zr)
        return Responses(zr, gamma, np.einsum("ij,ij->i", r, r), np.full_like(zr, np.nan))

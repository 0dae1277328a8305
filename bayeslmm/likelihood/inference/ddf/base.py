"""What a method for denominator degrees of freedom is."""

from abc import ABC, abstractmethod
from functools import cached_property
from typing import ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bayeslmm.likelihood.fitted import Fitted
from bayeslmm.registry import Registered

type Array = NDArray[np.float64]

RANK = float(np.sqrt(np.finfo(float).eps))


class FTest(NamedTuple):
    """An F statistic, `scale` times the Wald statistic over num_df; den_df inf: θ and σ count as known."""

    F: float
    num_df: int
    den_df: float
    scale: float = 1.0

    @property
    def p(self) -> float:
        from scipy.special import chdtrc, fdtrc

        if np.isinf(self.den_df):
            return float(chdtrc(self.num_df, self.num_df * self.F))
        return float(fdtrc(self.num_df, self.den_df, self.F))


class DDF(Registered, ABC):
    """One way to test hypotheses Lβ = d of a fit.

    Attributes
    ----------
    keyword : what asks for it. name : what tables call it. fit : whose coefficients are tested.
    """

    name: ClassVar[str]

    def __init__(self, fit: Fitted) -> None:
        """Take the fit."""
        self.fit = fit

    @cached_property
    def covariance(self) -> Array:
        """(p, p) of δ̂ in the kernel's coordinates, β = R_X⁻¹δ + a constant, that the tests use."""
        return self.fit.sigma**2 * self.fit.solved.inverse

    @cached_property
    def vcov(self) -> Array:
        """(p, p) the same of β̂."""
        root = np.linalg.inv(self.fit.design.kernel.R_X)
        return root @ self.covariance @ root.T

    def rows(self, L: Array) -> Array:
        """C = LR_X⁻¹ (m, p): what hypotheses on β say of δ, whatever the units and origins of X."""
        return np.linalg.solve(self.fit.design.kernel.R_X.T, L.T).T

    def variance(self, L: Array) -> Array:
        """(m,) Var(Lβ̂) of each row alone."""
        C = self.rows(L)
        return np.asarray(np.einsum("mi,ij,mj->m", C, self.covariance, C))

    def independent(self, L: Array, difference: Array) -> tuple[Array, Array]:
        """Orthonormal rows (r, p) that span those of C, and what Lβ̂ − d (m,) says of them, (r,)."""
        C = self.rows(L)
        sizes = np.linalg.norm(C, axis=1)
        sizes[sizes == 0] = 1.0
        left, values, right = np.linalg.svd(C / sizes[:, None], full_matrices=False)
        kept = values > RANK * values.max(initial=0.0)
        return right[kept], (left[:, kept].T @ (difference / sizes)) / values[kept]

    @abstractmethod
    def df(self, L: Array) -> Array:
        """Degrees of freedom (m,) of the single hypotheses in the rows of L (m, p)."""

    def test(self, L: Array, difference: Array) -> FTest:
        """The joint test of Lβ = d.

        Parameters
        ----------
        L : (m, p) of any rank. difference : (m,) Lβ̂ − d.
        """
        C, d = self.independent(L, difference)
        if not len(C):
            return FTest(np.nan, 0, np.nan)
        F = d @ np.linalg.solve(C @ self.covariance @ C.T, d) / len(d)
        return FTest(float(F), len(d), self._joint_df(self.principal(L, len(d))))

    def principal(self, L: Array, rank: int) -> Array:
        """The uncorrelated combinations of Lβ̂ with the largest variances, as rows (rank, p)."""
        C = self.rows(L)
        vectors = np.linalg.eigh(C @ self.covariance @ C.T)[1]
        return vectors[:, len(L) - rank :].T @ L

    def _joint_df(self, rows: Array) -> float:
        return float(self.df(rows)[0])

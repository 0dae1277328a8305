"""Kenward and Roger's test: Var(β̂) corrected for the estimation of the variances, F scaled, both by moments.

Formulas of Kenward & Roger (1997) in the form of Halekoh & Højsgaard (2014, pbkrtest), whose W is twice the
inverse of twice the information of the variances, the expected one as there, or the observed one. All is in
units of σ² and in the kernel's coordinates, where Φ = A_XX⁻¹.
"""

from functools import cached_property
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from bayeslmm.errors import OptionError
from bayeslmm.likelihood.curvature import inverse_root
from bayeslmm.likelihood.fitted import Fitted
from bayeslmm.likelihood.inference.ddf.base import DDF, FTest
from bayeslmm.likelihood.inference.information import Information, information
from bayeslmm.likelihood.inference.joined_information import joined_information

type Array = NDArray[np.float64]

EXACT = 1e-12  # of the largest information, below which a direction has none but rounding


class KenwardRoger(DDF):
    """Kenward and Roger's adjusted covariance, scaled F and degrees of freedom; for REML fits."""

    keyword: ClassVar[str] = "kenward-roger"
    name: ClassVar[str] = "Kenward-Roger"

    def __init__(self, fit: Fitted) -> None:
        """Take a REML fit.

        Raises
        ------
        OptionError
            For a fit by ML, whose variances are biased in a way the correction doesn't know.
        """
        if not fit.reml:
            raise OptionError(
                "Kenward-Roger corrects REML's covariance; this fit is by ML: use model.fit('REML'), "
                "or ddf='satterthwaite'"
            )
        super().__init__(fit)

    @cached_property
    def information(self) -> Information:
        """Of the variance parameters, the residual's last where it is estimated."""
        if self.fit.design.residual.n_phi:
            return joined_information(self.fit)
        return information(self.fit)

    @cached_property
    def Phi(self) -> Array:
        """(p, p) A_XX⁻¹."""
        return self.fit.solved.inverse

    @property
    def known(self) -> Array:
        """(r, r) twice the information of the variance parameters: the expected one."""
        return self.information.expected(self.Phi)

    @cached_property
    def W(self) -> Array:
        """(r, r) covariance of the variance parameters."""
        root = np.sqrt(2.0) * inverse_root(self.known, EXACT)
        return np.asarray(root @ root.T)

    @cached_property
    def adjusted(self) -> Array:
        """(p, p) Φ + 2Φ[Σ W_ij(Q_ij − P_iΦP_j)]Φ (eq. 14)."""
        info, Phi = self.information, self.Phi
        inner = np.einsum("ij,ijab->ab", self.W, info.Q) - np.einsum(
            "ij,iab,bc,jcd->ad", self.W, info.P, Phi, info.P, optimize=True
        )
        adjusted: Array = Phi + 2 * Phi @ inner @ Phi
        return adjusted

    @cached_property
    def covariance(self) -> Array:
        """(p, p) adjusted covariance of δ̂."""
        return self.fit.sigma**2 * self.adjusted

    def df(self, L: Array) -> Array:
        """Degrees of freedom of each row alone."""
        return np.array([self._approximation(row[None, :])[1] for row in self.rows(L)])

    def test(self, L: Array, difference: Array) -> FTest:
        """The scaled F test."""
        C, d = self.independent(L, difference)
        if not len(C):
            return FTest(np.nan, 0, np.nan)
        scale, den_df = self._approximation(C)
        F = d @ np.linalg.solve(C @ self.covariance @ C.T, d) / len(d)
        return FTest(float(scale * F), len(d), den_df, scale)

    def _approximation(self, C: Array) -> tuple[float, float]:
        """Scale of F and denominator degrees of freedom of independent rows C (q, p), in δ."""
        CPhi = C @ self.Phi
        Theta = np.linalg.solve(CPhi @ C.T, CPhi)  # (CΦC')⁻¹CΦ; tr(ΘΦP_iΦ) needs no more
        moved = np.einsum("qa,iab,rb->iqr", Theta, self.information.P, CPhi, optimize=True)
        traces = np.einsum("iqq->i", moved)
        A1 = float(traces @ self.W @ traces)
        A2 = float(np.einsum("ij,iqr,jrq->", self.W, moved, moved))
        return moments(len(C), A1, A2)


def moments(q: int, A1: float, A2: float) -> tuple[float, float]:
    """Scale λ and degrees of freedom m that give λF the first two moments of an F(q, m).

    Parameters
    ----------
    q : rank of the hypothesis. A1, A2 : Σ W_ij tr(ΘΦP_iΦ) tr(ΘΦP_jΦ) and Σ W_ij tr(ΘΦP_iΦΘΦP_jΦ).
    """
    if A2 <= 0.0:
        return 1.0, np.inf
    B = (A1 + 6 * A2) / (2 * q)
    g = ((q + 1) * A1 - (q + 4) * A2) / ((q + 2) * A2)
    c = np.array([g, q - g, q + 2 - g]) / (3 * q + 2 * (1 - g))
    V0, V1, V2 = 1 + c[0] * B, 1 - c[1] * B, 1 - c[2] * B
    V0 = 0.0 if abs(V0) < 1e-10 else V0
    rho = _ratio(1 - A2 / q, V1) ** 2 * V0 / V2 / q
    den_df = 4 + (q + 2) / (q * rho - 1)
    scale = 1.0 if abs(den_df - 2) < 1e-2 else den_df * (1 - A2 / q) / (den_df - 2)
    return float(scale), float(den_df)


def _ratio(x: float, y: float) -> float:
    """x/y, 1 where both vanish: the limit for balanced hypotheses with 2 degrees of freedom."""
    return 1.0 if abs(x) < 1e-14 and abs(y) < 1e-14 else x / y

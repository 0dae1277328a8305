"""Satterthwaite's approximation: the degrees of freedom of a χ² with the variance's mean and variance.

For one hypothesis l'β the variance f(θ, σ) = l'Var(β̂)l is estimated with Var f̂ ≈ g'Vg, g its gradient and
V the asymptotic covariance of (θ̂, log σ̂) from the exact Hessian: df = 2f²/g'Vg (eq. 13;
Giesbrecht & Burns 1985). Several at once are turned into uncorrelated ones with ν_i degrees of freedom each
and, as the F statistic is their mean square, den_df = 2E/(E − q) with E = Σ ν_i/(ν_i − 2) (Fai & Cornelius
1996; as lmerTest).

Where a variance has vanished Λ is singular and f is even in the elements of θ that leave zero: its slope
there is 0, so these directions bring nothing and count as known; those the data don't identify are dropped
from V.
"""

from functools import cached_property
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from bayeslmm.likelihood.inference.beta_derivatives import covariance_slopes
from bayeslmm.likelihood.inference.ddf.base import DDF
from bayeslmm.spec.units import Units

type Array = NDArray[np.float64]


class Satterthwaite(DDF):
    """Satterthwaite's degrees of freedom, all derivatives analytic."""

    keyword: ClassVar[str] = "satterthwaite"
    name: ClassVar[str] = "Satterthwaite"

    @cached_property
    def slopes(self) -> Array:
        """(n + 1, p, p) of Var(δ̂) in (ξ, φ, log σ)."""
        return covariance_slopes(self.fit, Units.at(self.fit.design.covariance, self.fit.theta_values))

    def df(self, L: Array) -> Array:
        """2/h'Vh, h = g/f, whose squares overflow in no unit; infinite where nothing is estimated."""
        C = self.rows(L)
        g = np.einsum("mi,tij,mj->mt", C, self.slopes, C, optimize=True)
        with np.errstate(divide="ignore", invalid="ignore"):
            spread = np.sum((g / self.variance(L)[:, None] @ self.fit.theta_sigma.root) ** 2, axis=1)
            return np.asarray(2 / spread)

    def _joint_df(self, rows: Array) -> float:
        return pooled(self.df(rows))


def pooled(df: Array) -> float:
    """Denominator degrees of freedom of the mean of squared t statistics with `df` each."""
    if not len(df):
        return np.nan
    if np.all(np.isinf(df)) or np.ptp(df) < 1e-8 * np.mean(df):
        return float(np.mean(df))
    if np.any(df <= 2):
        return 2.0
    E = float(np.sum(1 / (1 - 2 / df)))
    return 2 * E / (E - len(df))

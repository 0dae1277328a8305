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
    def vcov(self) -> Array:
        """(p, p) covariance of β̂ that the tests use."""
        return self.fit.vcov_values

    @abstractmethod
    def df(self, L: Array) -> Array:
        """Degrees of freedom (m,) of the single hypotheses in the rows of L (m, p)."""

    def test(self, L: Array, difference: Array) -> FTest:
        """The joint test of Lβ = d.

        Parameters
        ----------
        L : (m, p) of any rank. difference : (m,) Lβ̂ − d.
        """
        squares, rows = self.principal(L, difference)
        F = float(np.mean(squares)) if len(squares) else np.nan
        return FTest(F, len(squares), self._joint_df(rows))

    def principal(self, L: Array, difference: Array) -> tuple[Array, Array]:
        """Squared t statistics (r,) of the uncorrelated combinations of Lβ̂, and their rows (r, p)."""
        values, vectors = np.linalg.eigh(L @ self.vcov @ L.T)
        kept = values > RANK * max(values.max(initial=0.0), 0.0)
        squares = (vectors[:, kept].T @ difference) ** 2 / values[kept]
        return squares, vectors[:, kept].T @ L

    def _joint_df(self, rows: Array) -> float:
        df = self.df(rows)
        return float(df[0]) if len(df) else np.nan

"""The one-way random model and its analysis of variance.

    y_ij = μ + a_i + e_ij,   a_i ~ N(0, σ²_A), e_ij ~ N(0, σ²_E).

Source: Searle, Casella & McCulloch (1992), chapter 3.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from bayeslmm.errors import DataError
from bayeslmm.textbook.inputs import Array, Codes, check_variance, coded, numbers
from bayeslmm.textbook.strata import Stratum


class DesignMatrices(NamedTuple):
    """X (N, 1), Z (N, k) and V (N, N) of a one-way model."""

    X: Array
    Z: Array
    V: Array


@dataclass(frozen=True, eq=False)
class OneWay:
    """N observations in k groups.

    Attributes
    ----------
    y : (N,) responses. codes : (N,) each row's group. groups : (k,) their labels, sorted.
    """

    y: Array
    codes: Codes
    groups: tuple[object, ...]

    @property
    def k(self) -> int:
        """Number of groups."""
        return len(self.groups)

    @property
    def N(self) -> int:
        """Number of observations."""
        return len(self.y)

    @cached_property
    def sizes(self) -> Array:
        """(k,) group sizes n_i."""
        return np.bincount(self.codes, minlength=self.k).astype(float)

    @property
    def balanced(self) -> bool:
        """Whether all groups have one size."""
        return len(set(self.sizes)) == 1

    @property
    def n0(self) -> float:
        """(N − Σn_i²/N)/(k − 1): the size in E(MSA) = σ²_E + n₀σ²_A; n where the data are balanced."""
        return float((self.N - np.sum(self.sizes**2) / self.N) / (self.k - 1))

    @property
    def origin(self) -> float:
        """The first observation; what is computed from it loses no digits where y is far from 0."""
        return float(self.y[0])

    @cached_property
    def shifts(self) -> Array:
        """(k,) group means from the origin."""
        return np.bincount(self.codes, self.y - self.origin, minlength=self.k) / self.sizes

    @property
    def means(self) -> Array:
        """(k,) group means ȳ_i."""
        return self.origin + self.shifts

    @property
    def grand_mean(self) -> float:
        """ȳ, the mean of all observations."""
        return self.origin + float(np.mean(self.y - self.origin))

    @cached_property
    def SSA(self) -> float:
        """Σ n_i(ȳ_i − ȳ)²."""
        return float(self.sizes @ (self.shifts - np.mean(self.y - self.origin)) ** 2)

    @cached_property
    def SSE(self) -> float:
        """ΣΣ (y_ij − ȳ_i)²."""
        return float(np.sum((self.y - self.origin - self.shifts[self.codes]) ** 2))

    @cached_property
    def SST(self) -> float:
        """ΣΣ (y_ij − ȳ)² = SSA + SSE."""
        from_origin = self.y - self.origin
        return float(np.sum((from_origin - from_origin.mean()) ** 2))

    @property
    def df_A(self) -> int:
        """k − 1."""
        return self.k - 1

    @property
    def df_E(self) -> int:
        """N − k."""
        return self.N - self.k

    @property
    def MSA(self) -> float:
        """SSA/(k − 1)."""
        return self.SSA / self.df_A

    @property
    def MSE(self) -> float:
        """SSE/(N − k)."""
        return self.SSE / self.df_E

    @property
    def F(self) -> float:
        """MSA/MSE, exactly F(k − 1, N − k) under σ²_A = 0, whatever the sizes."""
        return self.MSA / self.MSE

    @property
    def p(self) -> float:
        """P(F(k − 1, N − k) ≥ F)."""
        from scipy.stats import f

        return float(f.sf(self.F, self.df_A, self.df_E))

    @property
    def table(self) -> pd.DataFrame:
        """The analysis of variance: SS, df, MS, F, p by source."""
        rows = {
            "A": (self.SSA, self.df_A, self.MSA, self.F, self.p),
            "E": (self.SSE, self.df_E, self.MSE, np.nan, np.nan),
        }
        return pd.DataFrame.from_dict(rows, orient="index", columns=["SS", "df", "MS", "F", "p"])

    @property
    def strata(self) -> tuple[Stratum, Stratum]:
        """Error and groups, of balanced data.

        Raises
        ------
        DataError
            Where the groups have different sizes.
        """
        if not self.balanced:
            sizes = ", ".join(f"{size:g}" for size in sorted(set(self.sizes)))
            raise DataError(
                f"groups of {sizes} observations have no closed form here; "
                "bl.exact_rlrt and bl.bootstrap_lrt take them"
            )
        n = self.N // self.k
        groups = Stratum("A", self.SSA, self.df_A, self.k, n)
        return Stratum("E", self.SSE, self.df_E, self.df_E, 1), groups

    def matrices(self, var_A: float, var_E: float) -> DesignMatrices:
        """The model in matrix form: X = 1, Z of zeros and ones, V = σ²_A ZZᵀ + σ²_E I.

        Rows of one group make a block σ²_E I + σ²_A J of V (`patterned`).
        """
        Z = np.eye(self.k)[self.codes]
        V = check_variance("var_A", var_A) * Z @ Z.T + check_variance("var_E", var_E, True) * np.eye(self.N)
        return DesignMatrices(np.ones((self.N, 1)), Z, V)


def one_way(y: ArrayLike, group: ArrayLike) -> OneWay:
    """The one-way layout of a response and its groups.

    Parameters
    ----------
    y : (N,) array_like
    group : (N,) array_like
        Labels of any kind.

    Raises
    ------
    DataError
        For missing values, columns of different length, fewer than two groups, groups of one observation
        each, or groups without any variation inside.

    Examples
    --------
    >>> import bayeslmm as bl
    >>> dyes = bl.load_dataset("Dyestuff")
    >>> layout = one_way(dyes["Yield"], dyes["Batch"])
    >>> round(layout.SSA, 4), round(layout.SSE, 4), round(layout.F, 4)
    (56357.5, 58830.0, 4.5983)
    """
    response = numbers("y", y)
    groups, codes = coded("group", group, len(response))
    if len(groups) < 2:
        raise DataError(f"group has one level, {groups[0]}; a variance between groups needs two at least")
    if len(groups) == len(response):
        raise DataError(
            f"each of the {len(groups)} groups has one observation; the error needs repeated ones"
        )
    first = response[np.unique(codes, return_index=True)[1]]
    if np.all(response == first[codes]):
        raise DataError("y doesn't vary inside any group, so no error variance can be estimated")
    return OneWay(response, codes, groups)

"""The laws of the sums of squares of the one-way model, the F test, and its power.

SSE/σ²_E is χ² with N − k degrees of freedom; SSA, independent of it, is Σ wⱼχ²₁ with wⱼ = σ²_E + μⱼσ²_A, μⱼ
the k − 1 eigenvalues of diag(nᵢ) − nnᵀ/N above 0. Balanced: μⱼ = n, so SSA/(σ²_E + nσ²_A) is χ² with k − 1.

Sources: Searle, Casella & McCulloch (1992), chapter 3; Robbins & Pitman (1949), Annals of
Mathematical Statistics 20, 552-560, for sums of χ² as mixtures.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike

from bayeslmm.errors import DataError
from bayeslmm.textbook.inputs import Array, check_probability, check_variance, floats, numbers


@dataclass(frozen=True, eq=False)
class ChiSquares:
    """The law of Σ wⱼχ²(dⱼ), independent.

    Attributes
    ----------
    multipliers : (m,) w, positive, increasing. df : (m,).
    """

    multipliers: Array
    df: Array

    @property
    def mean(self) -> float:
        """Σ wⱼdⱼ."""
        return float(self.multipliers @ self.df)

    @property
    def variance(self) -> float:
        """2 Σ wⱼ²dⱼ."""
        return float(2 * self.multipliers**2 @ self.df)

    def survival(self, x: ArrayLike) -> Array:
        """P(Σ wⱼχ²(dⱼ) > x), in the shape of x."""
        from scipy.stats import chi2

        df, chances = self.mixture
        return np.asarray(chi2.sf(np.divide(x, self.multipliers[0])[..., None], df) @ chances)

    def survival_of_ratio(self, x: ArrayLike, df: float) -> Array:
        """P(Σ wⱼχ²(dⱼ)/χ²(df) > x), the denominator independent, in the shape of x."""
        from scipy.stats import f

        above, chances = self.mixture
        ratios = np.divide(x, self.multipliers[0])[..., None] * df / above
        return np.asarray(f.sf(ratios, above, df) @ chances)

    @cached_property
    def mixture(self) -> tuple[Array, Array]:
        """Degrees of freedom (m,) and chances (m,), up to 1e-15, of the χ² that it mixes.

        With w the smallest weight it is w χ²(Σdⱼ + 2J), J a sum of negative binomials (dⱼ/2, w/wⱼ).
        """
        from scipy.signal import convolve
        from scipy.stats import nbinom

        chances = np.ones(1)
        for weight, count in zip(self.multipliers[1:], self.df[1:], strict=True):
            success = self.multipliers[0] / weight
            upto = nbinom.isf(1e-16, count / 2, success) + 2
            chances = convolve(chances, nbinom.pmf(np.arange(upto), count / 2, success))
        return self.df.sum() + 2 * np.arange(len(chances)), chances


def law_of_SSE(sizes: ArrayLike, var_E: float) -> ChiSquares:
    """SSE is σ²_E χ²(N − k).

    Parameters
    ----------
    sizes : (k,) observations in each group.

    Examples
    --------
    >>> law_of_SSE([5, 5, 5], 2.0).mean
    24.0
    """
    n = _sizes(sizes)
    return ChiSquares(np.array([check_variance("var_E", var_E, True)]), np.array([n.sum() - len(n)]))


def law_of_SSA(sizes: ArrayLike, var_A: float, var_E: float) -> ChiSquares:
    """SSA is Σ(σ²_E + μⱼσ²_A)χ²₁; (σ²_E + nσ²_A)χ²(k − 1) where the groups have one size.

    Parameters
    ----------
    sizes : (k,) observations in each group.

    Examples
    --------
    >>> law = law_of_SSA([5, 5, 5], 1.0, 2.0)
    >>> law.multipliers, law.df
    (array([7.]), array([2.]))
    """
    between, within = check_variance("var_A", var_A), check_variance("var_E", var_E, True)
    spread, counts = _spreads(_sizes(sizes))
    return _joined(within + spread * between, counts)


def f_test_power(ratio: ArrayLike, sizes: ArrayLike, alpha: float = 0.05) -> Array:
    """Power of the exact F test of σ²_A = 0 as a function of λ = σ²_A/σ²_E.

    P(Σ(1 + μⱼλ)χ²₁ / χ²(N − k) > f (k − 1)/(N − k)), f the test's quantile; P(F(k − 1, N − k) > f/(1 + nλ))
    where the groups have one size. At λ = 0 it is α.

    Parameters
    ----------
    ratio : λ, of any shape. sizes : (k,) observations in each group.

    Returns
    -------
    Powers in the shape of `ratio`.

    Examples
    --------
    >>> f_test_power([0.0, 0.5, 2.0], [5, 5, 5, 5, 5, 5]).round(3)
    array([0.05 , 0.595, 0.942])
    """
    from scipy.stats import f

    n, ratios = _sizes(sizes), floats("ratio", ratio)
    df_A, df_E = len(n) - 1, n.sum() - len(n)
    limit = f.isf(check_probability("alpha", alpha), df_A, df_E) * df_A / df_E
    powers = [law_of_SSA(n, float(each), 1.0).survival_of_ratio(limit, df_E) for each in ratios.flat]
    return np.reshape(powers, ratios.shape)


def _sizes(sizes: ArrayLike) -> Array:
    n = numbers("sizes", sizes)
    if len(n) < 2 or np.any(n < 1) or np.any(n != np.round(n)) or np.all(n == 1):
        raise DataError(
            f"sizes are {n.tolist()}; they are whole numbers, of two groups or more, one of them above 1"
        )
    return n


def _spreads(n: Array) -> tuple[Array, Array]:
    """The eigenvalues of diag(nᵢ) − nnᵀ/N above 0, each once, and how often."""
    values = np.linalg.eigvalsh(np.diag(n) - np.outer(n, n) / n.sum())[1:]
    joined = _joined(values, np.ones(len(values)))
    return joined.multipliers, joined.df


def _joined(weights: Array, df: Array) -> ChiSquares:
    """Equal weights together."""
    order = np.argsort(weights)
    starts = np.flatnonzero(np.diff(weights[order], prepend=-np.inf) > 1e-9 * np.abs(weights).max())
    return ChiSquares(weights[order][starts], np.add.reduceat(df[order], starts))

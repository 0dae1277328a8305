"""Likelihood-ratio tests in balanced layouts, their χ² beside the laws that hold.

A variance is tested on the boundary of what it can be: the statistic is 0 with a probability of its own, and
neither χ²₁ nor half of it (Self & Liang 1987, Journal of the American Statistical Association 82, 605-610) is
its law in a finite sample. In a balanced one-way layout it is an increasing function of F where it isn't 0,
so its law is F's.

Sources: Searle, Casella & McCulloch (1992), chapter 3; Pinheiro & Bates (2000), Mixed-Effects Models in S and
S-PLUS, section 2.4, for tests of fixed effects.
"""

from dataclasses import dataclass

import numpy as np

from bayeslmm.errors import check_choice, check_whole
from bayeslmm.textbook.inputs import Array, check_probability
from bayeslmm.textbook.one_way import OneWay
from bayeslmm.textbook.strata import ordered, ratio_statistic
from bayeslmm.textbook.two_way import TwoWay

MIXTURE_TAIL = 2.0  # ½χ²₀ + ½χ²₁ has half the tail of χ²₁


@dataclass(frozen=True)
class VarianceRatioTest:
    """The likelihood-ratio test of σ²_A = 0 in a balanced one-way layout.

    Attributes
    ----------
    statistic : difference of −2ℓ, or of −2ℓ_R.
    p_chi2 : by χ²₁. p_mixture : by ½χ²₀ + ½χ²₁. p_exact : by the law of F.
    share_at_zero : probability of a statistic of 0 under σ²_A = 0, which the mixture takes for ½.
    """

    statistic: float
    p_chi2: float
    p_mixture: float
    p_exact: float
    share_at_zero: float


@dataclass(frozen=True)
class ActualLevel:
    """How often a true σ²_A = 0 is rejected at a nominal level.

    Attributes
    ----------
    chi2, mixture : by χ²₁, by ½χ²₀ + ½χ²₁. share_at_zero : probability of a statistic of 0.
    """

    chi2: float
    mixture: float
    share_at_zero: float


@dataclass(frozen=True)
class TreatmentRatioTest:
    """The ML likelihood-ratio test of equal treatments in a balanced two-way layout.

    Attributes
    ----------
    statistic : difference of −2ℓ. df : a − 1. p_chi2 : by χ², too small with few blocks.
    F, p_F : the exact F test. Where no variance is estimated as 0, the statistic is m log(1 + F(a − 1)/df), m
    the
        multiplicity and df the degrees of freedom of F's denominator: p_F is the statistic's own exact p.
    """

    statistic: float
    df: int
    p_chi2: float
    F: float
    p_F: float


def variance_ratio_test(layout: OneWay, criterion: str = "REML") -> VarianceRatioTest:
    """Test σ²_A = 0 by the likelihood ratio.

    Parameters
    ----------
    criterion : ``"ML"`` or ``"REML"``.

    Raises
    ------
    DataError
        For groups of different sizes.
    OptionError
        For a misspelt criterion.

    Examples
    --------
    >>> import bayeslmm as bl
    >>> dyes = bl.load_dataset("Dyestuff")
    >>> found = variance_ratio_test(bl.textbook.one_way(dyes["Yield"], dyes["Batch"]))
    >>> round(found.statistic, 4), round(found.p_chi2, 4), round(found.p_mixture, 4), round(found.p_exact, 4)
    (6.369, 0.0116, 0.0058, 0.0044)
    """
    from scipy.stats import chi2, f

    df = np.array([stratum.df for stratum in layout.strata], dtype=float)
    counts = _counts(df, criterion)
    statistic = float(ratio_statistic(np.array([layout.SSE, layout.SSA]), counts))
    p_chi2 = float(chi2.sf(statistic, 1))
    at_zero = float(f.cdf(counts[1] / df[1], df[1], df[0]))
    if statistic == 0:
        return VarianceRatioTest(0.0, 1.0, 1.0, 1.0, at_zero)
    return VarianceRatioTest(statistic, p_chi2, p_chi2 / MIXTURE_TAIL, layout.p, at_zero)


def variance_ratio_level(k: int, n: int, alpha: float = 0.05, criterion: str = "REML") -> ActualLevel:
    """The level that χ²₁ and ½χ²₀ + ½χ²₁ really have in k groups of n.

    Examples
    --------
    >>> found = variance_ratio_level(6, 5, criterion="ML")
    >>> round(found.chi2, 3), round(found.mixture, 3), round(found.share_at_zero, 3)
    (0.012, 0.024, 0.661)
    """
    from scipy.stats import chi2, f

    check_whole("k", k, 2)
    check_whole("n", n, 2)
    df = np.array([k * (n - 1), k - 1], dtype=float)
    counts = _counts(df, criterion)

    def level(limit: float) -> float:
        return float(f.sf(_F_at(limit, df, counts), df[1], df[0]))

    tail = check_probability("alpha", alpha)
    by_chi2, by_mixture = (level(float(chi2.isf(min(1.0, each), 1))) for each in (tail, MIXTURE_TAIL * tail))
    return ActualLevel(by_chi2, by_mixture, float(f.cdf(counts[1] / df[1], df[1], df[0])))


def treatment_ratio_test(layout: TwoWay) -> TreatmentRatioTest:
    """Test equal treatments by the likelihood ratio of two ML fits, beside the exact F test.

    Examples
    --------
    >>> import bayeslmm as bl
    >>> data = bl.load_dataset("ergoStool")
    >>> blocks = bl.textbook.randomized_blocks(data["effort"], data["Type"], data["Subject"])
    >>> found = treatment_ratio_test(blocks)
    >>> found.df, found.p_chi2 < found.p_F
    (3, True)
    """
    from scipy.stats import chi2

    SS = np.array([stratum.SS for stratum in layout.strata])
    counts = np.array([float(stratum.multiplicity) for stratum in layout.strata])
    without = SS + layout.SSA * (np.arange(len(SS)) == len(SS) - 2)
    statistic = float(counts @ np.log(ordered(without, counts) / ordered(SS, counts)))
    df = layout.a - 1
    return TreatmentRatioTest(statistic, df, float(chi2.sf(statistic, df)), layout.F["A"], layout.p["A"])


def _counts(df: Array, criterion: str) -> Array:
    """Multiplicities of δ for error and groups: ML counts the mean among the groups."""
    check_choice("criterion", criterion, ("ML", "REML"))
    return np.array([df[0], df[1] + (criterion == "ML")])


def _F_at(limit: float, df: Array, counts: Array) -> float:
    """F where the statistic reaches a limit above 0."""
    from scipy.optimize import brentq

    def excess(log_F: float) -> float:
        return float(ratio_statistic(df * [1.0, np.exp(log_F)], counts)) - limit

    return float(np.exp(brentq(excess, float(np.log(counts[1] / df[1])), 60.0, xtol=1e-13)))

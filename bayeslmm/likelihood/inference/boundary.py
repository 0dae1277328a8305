"""p-values of a likelihood-ratio statistic when the null hypothesis puts a variance at 0.

With one new variance and any number of parameters that are free inside, covariances with it among them, half
of the null distribution is χ² with d − 1 degrees of freedom and half with d (Self & Liang 1987; Stram & Lee
1994). With several new variances the weights depend on the design.
"""

import numpy as np

from bayeslmm.spec.relative import CovarianceMap


def chi_squared_p(statistic: float, df: int) -> float:
    """P(χ²_df ≥ statistic); with 0 degrees of freedom a positive statistic can't be."""
    from scipy.special import chdtrc

    if df == 0:
        return 1.0 if statistic <= 0 else 0.0
    return float(chdtrc(df, max(statistic, 0.0)))


def n_variances(covariance: CovarianceMap) -> int:
    """Free standard deviations of all bars."""
    return sum(len(slot.structure.sd_index) for slot in covariance.slots)


def boundary_p(statistic: float, df: int, new_variances: int) -> float:
    """The p-value with variances at 0 under the null; NaN where no closed form is known.

    Parameters
    ----------
    df : parameters the larger model has more. new_variances : how many of them are variances.
    """
    if new_variances > 1 or df < 1:
        return np.nan
    if new_variances == 0:
        return chi_squared_p(statistic, df)
    if statistic <= 0:
        return 1.0
    return 0.5 * (chi_squared_p(statistic, df - 1) + chi_squared_p(statistic, df))

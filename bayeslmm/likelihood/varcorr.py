"""Variances and correlations of the random effects as a tidy table."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bayeslmm.estimands.headed import HeadedTable
from bayeslmm.spec.relative import CovarianceMap, correlations

type Array = NDArray[np.float64]

RESIDUAL = "Residual"
COLUMNS = ["group", "coef", "coef2", "kind", "value"]


def varcorr_table(covariance: CovarianceMap, theta: Array, sigma: float) -> HeadedTable:
    """Absolute sd, var, cor and cov by group, the residual's sd and var last.

    Returns
    -------
    HeadedTable with columns group, coef, coef2, kind (sd, var, cor, cov), value
        Every coef and every pair that may be correlated has rows, parameters shared or not; cor is NaN where
        an sd is 0.
    """
    rows: list[tuple[Any, ...]] = []
    for number, (group, coefs) in enumerate(zip(covariance.groups, covariance.coefs, strict=True)):
        sd, cor = whole_block(covariance, number, theta, sigma)
        rows += [(group, coef, None, *pair) for coef, s in zip(coefs, sd, strict=True) for pair in _sd_var(s)]
        rows += _pairs(group, coefs, cor, sd)
    rows += [(RESIDUAL, None, None, *pair) for pair in _sd_var(sigma)]
    heading = "Standard deviations, variances, correlations and covariances"
    return HeadedTable.of(pd.DataFrame(rows, columns=COLUMNS), heading)


def _sd_var(sd: float) -> tuple[tuple[str, float], tuple[str, float]]:
    return ("sd", float(sd)), ("var", float(sd) ** 2)


def whole_block(
    covariance: CovarianceMap, number: int, theta: Array, sigma: float
) -> tuple[Array, dict[tuple[int, int], float]]:
    """Absolute sds (k,) of all coefs of a block, and correlations by pair of coefs, none across bars."""
    root = sigma * covariance.factors(theta)[number]
    sd = np.sqrt(np.sum(root**2, axis=1))
    pairs = covariance.correlated_pairs(number)
    return sd, dict(zip(pairs, correlations(root, sd, pairs).tolist(), strict=True))


def _pairs(
    group: str, coefs: Sequence[str], cor: dict[tuple[int, int], float], sd: Array
) -> Iterator[tuple[Any, ...]]:
    for (i, j), value in cor.items():
        covariance = float(np.nan_to_num(value) * sd[i] * sd[j])
        yield group, coefs[i], coefs[j], "cor", value
        yield group, coefs[i], coefs[j], "cov", covariance

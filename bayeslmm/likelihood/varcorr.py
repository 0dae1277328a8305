"""Variances and correlations of the random effects as a tidy table."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bayeslmm.spec.relative import CovarianceMap

type Array = NDArray[np.float64]

RESIDUAL = "Residual"
COLUMNS = ["group", "coef", "coef2", "kind", "value"]


def varcorr_table(covariance: CovarianceMap, theta: Array, sigma: float) -> pd.DataFrame:
    """Absolute sd, var, cor and cov by group, the residual's sd and var last.

    Returns
    -------
    DataFrame with columns group, coef, coef2, kind (sd, var, cor, cov), value
        Only free correlations have rows; cor is NaN where an sd is 0.
    """
    natural = covariance.natural(theta, sigma)
    rows: list[tuple[Any, ...]] = []
    for number, (group, coefs) in enumerate(zip(covariance.groups, covariance.coefs, strict=True)):
        sd, cor = natural.sd[group], natural.cor[group]
        rows += [(group, coef, None, *pair) for coef, s in zip(coefs, sd, strict=True) for pair in _sd_var(s)]
        rows += _pairs(group, coefs, covariance.block_pairs(number), sd, cor)
    rows += [(RESIDUAL, None, None, *pair) for pair in _sd_var(sigma)]
    return pd.DataFrame(rows, columns=COLUMNS)


def _sd_var(sd: float) -> tuple[tuple[str, float], tuple[str, float]]:
    return ("sd", float(sd)), ("var", float(sd) ** 2)


def _pairs(
    group: str, coefs: Sequence[str], pairs: Sequence[tuple[int, int]], sd: Array, cor: Array
) -> Iterator[tuple[Any, ...]]:
    for (i, j), value in zip(pairs, cor, strict=True):
        covariance = float(np.nan_to_num(value) * sd[i] * sd[j])
        yield group, coefs[i], coefs[j], "cor", float(value)
        yield group, coefs[i], coefs[j], "cov", covariance

"""Refits as draws of the labelled parameters."""

import numpy as np
from numpy.typing import NDArray

from bayeslmm.spec.relative import CovarianceMap

type Array = NDArray[np.float64]


def natural_draws(covariance: CovarianceMap, lam: Array, sigma: Array) -> tuple[Array, Array]:
    """Free absolute sd (m, n_sd) and cor (m, n_pairs) of m factors: block by block, in the labels' order.

    Parameters
    ----------
    lam : (m, n_lam) relative factors. sigma : (m,).

    Notes
    -----
    A correlation is NaN where one of its sds is 0.
    """
    sds, cors = [np.zeros((len(sigma), 0))], [np.zeros((len(sigma), 0))]
    for number, (k, offset) in enumerate(zip(covariance.sizes, covariance.offsets, strict=True)):
        rows = lam[:, offset : offset + k * k].reshape(-1, k, k)
        length = np.sqrt(np.sum(rows**2, axis=2))
        sds.append(sigma[:, None] * length[:, list(covariance.block_sds(number))])
        pairs = np.array(covariance.block_pairs(number), dtype=np.int64).reshape(-1, 2)
        with np.errstate(invalid="ignore", divide="ignore"):
            unit = rows / length[:, :, None]
        cors.append(np.clip(np.sum(unit[:, pairs[:, 0]] * unit[:, pairs[:, 1]], axis=2), -1.0, 1.0))
    return np.hstack(sds), np.hstack(cors)

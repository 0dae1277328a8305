"""The covariance of the response as one dense matrix: for teaching, and for tests on small data."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bayeslmm.spec.design import Design
from bayeslmm.spec.given import numbers_for
from bayeslmm.spec.labels import SIGMA


def dense_covariance(
    design: Design, theta: ArrayLike, sigma: float = 1.0, phi: ArrayLike = ()
) -> NDArray[np.float64]:
    """V = σ²(Z(K ⊗ ΛΛᵀ)Zᵀ + R), R of the residual, K = I but where the covariance between levels is known.

    Parameters
    ----------
    theta : (n_theta,) relative Cholesky parameters in lme4's order. sigma : residual standard deviation.
    phi : (n_phi,) of R; what a fit's design is settled at where it is left out.

    Returns
    -------
    (n, n) covariance of y given β; σ = 1 gives V₀.

    Raises
    ------
    OptionError
        When theta, phi or sigma aren't numbers, or are of another length.
    """
    theta = numbers_for("theta", theta, design.covariance.names)
    phi = numbers_for("phi", phi, design.residual.names) if np.size(phi) else ()
    (sigma,) = numbers_for("sigma", sigma, (SIGMA,))
    root = design.residual.unwhiten(np.eye(design.n), phi)
    V = root @ root.T
    for block, factor in zip(design.blocks, design.covariance.factors(theta), strict=True):
        effects = block.columns @ factor
        between = np.eye(block.n_levels) if block.known is None else block.known @ block.known.T
        V += (effects @ effects.T) * between[np.ix_(block.codes, block.codes)]
    return sigma**2 * V

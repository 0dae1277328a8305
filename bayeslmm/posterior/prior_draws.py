"""Draws from the priors, and of data from them."""

import numpy as np
from numpy.typing import NDArray

from bayeslmm.errors import PriorError
from bayeslmm.posterior.correlations import BlockCorrelation
from bayeslmm.posterior.parameters import Parameters
from bayeslmm.spec.design import Design
from bayeslmm.spec.priors import Believed, Prior, Priors

type Array = NDArray[np.float64]


def draw_priors(design: Design, priors: Priors, n: int, rng: np.random.Generator) -> Parameters:
    """n independent draws of every parameter, β included.

    Raises
    ------
    PriorError
        When a prior is flat: it can't be drawn from.
    """
    flat = [label for label, prior in priors.table.items() if not prior.proper]
    if flat:
        raise PriorError(
            f"{', '.join(flat)}: a flat prior has no draws and no prior predictive; take "
            "model.prior_predictive(priors='weak'), or give a proper one, such as "
            'model.with_priors({"beta": bayeslmm.Normal(0, 100)})'
        )
    known = design.residual.sigma
    sigma = priors.sigma.draw(rng, n) if known is None else np.full(n, known)
    sd, z = {}, {}
    for block in design.blocks:
        sd[block.group] = _columns(priors.sd[block.group], rng, n)
        lkj = priors.cor[block.group]
        shapes = BlockCorrelation.of(block).shapes(lkj.eta) if lkj is not None else np.zeros(0)
        z[block.group] = 2 * rng.beta(shapes, shapes, (n, len(shapes))) - 1
    sigma = np.asarray(sigma, dtype=float)
    phi = Believed(design.residual.parts, priors.table).draw(rng, sigma)
    return Parameters(sigma, sd, z, _columns(priors.beta, rng, n), phi)


def _columns(priors: tuple[Prior, ...], rng: np.random.Generator, n: int) -> Array:
    return np.array([prior.draw(rng, n) for prior in priors]).reshape(len(priors), n).T

"""The variables of the covariance parameters, and the factors they make."""

import numpy as np

from bayeslmm.posterior import names
from bayeslmm.posterior.correlations import BlockCorrelation
from bayeslmm.posterior.graph.pymc_priors import scalar_variable, vector_variable
from bayeslmm.posterior.names import Tensor
from bayeslmm.spec.covariance import Entries
from bayeslmm.spec.design import Design
from bayeslmm.spec.priors import LKJ, Priors


def residual_sd(design: Design, priors: Priors) -> Tensor:
    """``sigma``: a variable under its prior, or data where it is known."""
    import pymc as pm

    if (known := design.residual.sigma) is not None:
        return pm.Data(names.SIGMA, np.float64(known))
    return scalar_variable(names.SIGMA, priors.sigma, positive=True)


def absolute_factors(design: Design, priors: Priors) -> list[Entries]:
    """The factor of each block's covariance, in the response's units: its elements that aren't always 0."""
    return [_absolute_factor(design, number, priors) for number in range(len(design.blocks))]


def _absolute_factor(design: Design, number: int, priors: Priors) -> Entries:
    block, dim = design.blocks[number], names.sd_dim(design, number)
    group, own = block.group, names.sd_names(design, number)
    sd = vector_variable(names.sd_name(group), priors.sd[group], dim, own, positive=True)
    correlations = BlockCorrelation.of(block)
    z = _free_correlations(group, correlations, priors.cor[group])
    return correlations.factor([sd[i] for i in range(len(own))], z)


def _free_correlations(group: str, correlations: BlockCorrelation, prior: LKJ | None) -> list[Tensor]:
    """The coordinates of a block's correlations; the correlations themselves become ``cor_{group}``."""
    import pymc as pm
    import pytensor.tensor as pt

    if not correlations.n_free or prior is None:
        return []
    shapes = correlations.shapes(prior.eta)
    unit = pm.Beta(names.unit_name(group), shapes, shapes, dims=names.pair_dim(group))
    z = [2 * unit[i] - 1 for i in range(correlations.n_free)]
    pm.Deterministic(names.cor_name(group), pt.stack(correlations.pairs(z)), dims=names.pair_dim(group))
    return z

"""The marginal graph: the random effects, and β where that is exact, are integrated out by the kernel."""

from typing import Any

import numpy as np

from bayeslmm.posterior import names
from bayeslmm.posterior.fixed_effects import integrable, prior_of_delta
from bayeslmm.posterior.graph.pymc_priors import vector_variable
from bayeslmm.posterior.graph.residual import Ratios
from bayeslmm.posterior.names import Tensor
from bayeslmm.spec.covariance import Entries
from bayeslmm.spec.design import Design
from bayeslmm.spec.priors import Priors


def marginal_likelihood(
    design: Design, priors: Priors, sigma: Tensor, factors: list[Entries], ratios: list[Ratios]
) -> None:
    """Add the likelihood as one potential, and β where its prior is neither flat nor normal."""
    import pymc as pm
    from pytensor import shared

    from bayeslmm.kernel.values.one_factor import one_factor_sizes
    from bayeslmm.posterior.graph.op import log_density

    lam = _relative(design, factors, sigma)
    if design.residual.n_phi:
        pm.Potential("log_likelihood", _moving(design, priors, lam, sigma, ratios))
        return
    # shared: the data are inputs of the compiled code, not part of it
    problem = design.kernel.condensed.problem
    sizes = one_factor_sizes(problem)
    data = [shared(each.copy(), name) for name, each in problem._asdict().items()]
    if integrable(priors):
        prior = prior_of_delta(design.kernel, priors)
        held = [shared(prior.precision, "precision"), shared(prior.shift, "shift")]
        value = prior.log_constant + log_density(True, sizes, lam, sigma, *held, *data)
    else:
        beta = vector_variable(names.BETA, priors.beta, names.COEF, design.coefs, positive=False)
        value = log_density(False, sizes, lam, sigma, beta, *data)
    pm.Potential("log_likelihood", value)


def _moving(design: Design, priors: Priors, lam: Tensor, sigma: Tensor, ratios: list[Ratios]) -> Tensor:
    """The same where R has parameters."""
    import pytensor.tensor as pt

    from bayeslmm.posterior.graph.moving_op import moving_log_density

    own = pt.stack([value for part in ratios for stratum in part for value in stratum])
    if integrable(priors):
        return moving_log_density(design, priors, lam, sigma, own)
    beta = vector_variable(names.BETA, priors.beta, names.COEF, design.coefs, positive=False)
    return moving_log_density(design, priors, lam, sigma, own, beta)


def _relative(design: Design, factors: list[Entries], sigma: Tensor) -> Tensor:
    """Every block's relative factor Λ, row by row, (n_lam,)."""
    import pytensor.tensor as pt

    elements: list[Any] = [
        factor.get((i, j), pt.constant(0.0))
        for block, factor in zip(design.blocks, factors, strict=True)
        for i in range(block.k)
        for j in range(block.k)
    ]
    return pt.stack(elements) / sigma if elements else pt.constant(np.zeros(0))

"""What follows from draws of the parameters and effects, draw by draw."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from bayeslmm.posterior.parameters import block_factors, stacked_sigma
from bayeslmm.posterior.summary.derived import derived_table
from bayeslmm.posterior.summary.tree import Draws
from bayeslmm.spec.combine import Weights, combined
from bayeslmm.spec.design import Design
from bayeslmm.spec.variance_parts import VarianceParts

if TYPE_CHECKING:
    from bayeslmm.estimands.table import EstimateTable

type Array = NDArray[np.float64]


def blup(design: Design, draws: Draws, c: Weights, d: Weights, prob: float) -> "EstimateTable":
    """c'β + d'b.

    Raises
    ------
    OptionError
        For an unknown name, the wrong number of weights, or a probability outside (0, 1).
    """
    C, D = combined(design, c, d)
    labels = tuple(f"blup[{number}]" for number in range(len(C)))
    return derived_table(labels, draws.beta @ C.T + draws.ranef @ D.T, prob)


def variance_parts(design: Design, draws: Draws) -> dict[str, Array]:
    """Variance by source, (chains, draws) each."""
    chains = draws.beta.shape[:2]
    factors = [
        factor.reshape(*chains, *factor.shape[1:])
        for factor in block_factors(design, *draws.parameters).values()
    ]
    sigma = stacked_sigma(draws.parameters).reshape(chains)
    return VarianceParts.of(design).variances(draws.beta, factors, sigma)


def draws_table(values: Mapping[str, Array], prob: float) -> "EstimateTable":
    """Summaries of quantities by label."""
    shape = next(iter(values.values())).shape
    columns = [np.broadcast_to(value, shape) for value in values.values()]
    return derived_table(tuple(values), np.stack(columns, axis=-1), prob)

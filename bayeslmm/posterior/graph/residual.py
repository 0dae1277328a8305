"""The residual's own parameters as variables of a graph."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from bayeslmm.posterior import names
from bayeslmm.posterior.graph.pymc_priors import scalar_variable
from bayeslmm.posterior.names import Tensor
from bayeslmm.spec.design import Design
from bayeslmm.spec.priors import LKJ, Priors
from bayeslmm.spec.residual.structure import Part, Slot

type Array = NDArray[np.float64]
type Ratios = list[list[Tensor]]  # of each stratum of a part, its natural values, absolute ones over σ


def residual_parameters(design: Design, priors: Priors, sigma: Tensor) -> list[Ratios]:
    """Variables of each part under their priors; all together they are ``residual``, in the labels' order."""
    import pymc as pm
    import pytensor.tensor as pt

    found = [[_stratum(part, own, priors) for own in part.slots()] for part in design.residual.parts]
    told: list[Any] = []
    for part, strata in zip(design.residual.parts, found, strict=True):
        told += [sigma] * (part.structure.absolute and part.n > 0)
        told += [value for stratum in strata for value in stratum]
    if design.residual.n_phi:
        pm.Deterministic(names.RESIDUAL, pt.stack(told), dims=names.PARAMETER)
    return [
        [[value / sigma if part.structure.absolute else value for value in own] for own in strata]
        for part, strata in zip(design.residual.parts, found, strict=True)
    ]


def _stratum(part: Part[Any], slots: tuple[Slot, ...], priors: Priors) -> list[Tensor]:
    """Natural values of one stratum."""
    import pymc as pm

    if part.joint is None:
        return [
            scalar_variable(slot.label, priors.table[slot.label], slot.bounds == (0.0, np.inf))
            for slot in slots
        ]
    (slot,) = slots
    prior = priors.table[slot.label]
    assert isinstance(prior, LKJ)
    shapes = part.joint.shapes(prior.eta)
    unit = pm.Beta(names.of_units(slot.label), shapes, shapes, dims=names.element_dim(slot.label))
    return part.joint.natural([2 * unit[i] - 1 for i in range(len(shapes))])

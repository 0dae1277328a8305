"""What a Gaussian or flat prior of β contributes when β is integrated out."""

from typing import TYPE_CHECKING

import numpy as np

from bayeslmm.spec.design import Design
from bayeslmm.spec.priors import Flat, Normal, Priors

if TYPE_CHECKING:
    from bayeslmm.kernel.fixed_effects import PriorOfDelta


def integrable(priors: Priors) -> bool:
    """Whether β can be integrated out exactly: each prior is flat or normal."""
    return all(isinstance(prior, Flat | Normal) for prior in priors.beta)


def prior_of_delta(design: Design, priors: Priors) -> "PriorOfDelta":
    """The prior of β in the kernel's coordinates; for `integrable` priors."""
    from bayeslmm.kernel.fixed_effects import PriorOfDelta

    p = len(priors.beta)
    precision, shift, constant = np.zeros(p), np.zeros(p), 0.0
    for i, prior in enumerate(priors.beta):
        if isinstance(prior, Normal):
            precision[i] = prior.sd**-2
            shift[i] = prior.mean * prior.sd**-2
            constant += float(prior.logpdf(0.0))  # −½(log 2π + log s² + m²/s²)
    return PriorOfDelta.of_beta(design.kernel, np.diag(precision), shift, constant)

"""What a Gaussian or flat prior of β contributes when β is integrated out."""

from typing import TYPE_CHECKING

import numpy as np

from bayeslmm.spec.priors import Priors

if TYPE_CHECKING:
    from bayeslmm.kernel.kernel import Kernel
    from bayeslmm.kernel.values.fixed_effects import PriorOfDelta


def integrable(priors: Priors) -> bool:
    """Whether β can be integrated out exactly: the log of each prior is a quadratic, flat ones included."""
    return all(prior.quadratic is not None for prior in priors.beta)


def prior_of_delta(kernel: "Kernel", priors: Priors) -> "PriorOfDelta":
    """The prior of β in a kernel's coordinates; for `integrable` priors."""
    from bayeslmm.kernel.values.fixed_effects import PriorOfDelta

    terms = [prior.quadratic for prior in priors.beta if prior.quadratic is not None]
    precision = np.array([term.precision for term in terms])
    shift = np.array([term.shift for term in terms])
    constant = sum((term.constant for term in terms), start=0.0)
    return PriorOfDelta.of_beta(kernel, np.diag(precision), shift, constant)

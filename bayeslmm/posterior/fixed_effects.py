"""What a Gaussian or flat prior of β contributes when β is integrated out."""

from typing import TYPE_CHECKING

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

    return PriorOfDelta.of_beta(kernel, *priors.quadratic_of_beta)

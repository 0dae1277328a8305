"""What a Gaussian or flat prior of β contributes when β is integrated out."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bayeslmm.spec.priors import Flat, Normal, Priors

type Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class GaussianPrior:
    """A prior of β that is Gaussian in some coordinates and flat in the others.

    Attributes
    ----------
    precision : (p, p) S⁻¹, zero where flat.
    shift : (p,) S⁻¹m.
    log_constant : what log ∫ p(y | β) exp(−½βᵀS⁻¹β + mᵀS⁻¹β) dβ lacks of the marginal likelihood,
        −½(p₁ log 2π + log|S| + mᵀS⁻¹m) over the p₁ Gaussian coordinates.
    """

    precision: Array
    shift: Array
    log_constant: float


def integrable(priors: Priors) -> bool:
    """Whether β can be integrated out exactly: each prior is flat or normal."""
    return all(isinstance(prior, Flat | Normal) for prior in priors.beta)


def gaussian_prior(priors: Priors) -> GaussianPrior:
    """The prior of β in the form the kernel takes; for `integrable` priors."""
    p = len(priors.beta)
    precision, shift, constant = np.zeros(p), np.zeros(p), 0.0
    for i, prior in enumerate(priors.beta):
        if isinstance(prior, Normal):
            precision[i] = prior.sd**-2
            shift[i] = prior.mean * prior.sd**-2
            constant += float(prior.logpdf(0.0))  # −½(log 2π + log s² + m²/s²)
    return GaussianPrior(np.diag(precision), shift, constant)
